package rehearsal

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"nepenthes/shared/routes"
)

// operate runs a command of infra/operate against the stack.
func (s *story) operate(ctx context.Context, verb string, arguments ...string) error {
	home, err := root()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "go", append([]string{"run", "./infra/operate", verb, "-stage", s.outputs.Stage}, arguments...)...)
	command.Dir, command.Env = home, s.cloud.Endpoint.Environ()
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("operate %s: %w: %s", verb, err, said)
	}
	return nil
}

// logLines is how many log lines of each function are printed when the story fails.
const logLines = 10

// printLogs prints the last log lines of the functions.
func (s *story) printLogs(ctx context.Context, out io.Writer) {
	client := cloudwatchlogs.NewFromConfig(s.config)
	for _, f := range routes.Functions() {
		group, err := s.stage.LogGroup(f)
		if err != nil {
			continue // the stack is incomplete, and the reason has been printed
		}
		var lines []string
		pages := cloudwatchlogs.NewFilterLogEventsPaginator(client, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				fmt.Fprintf(out, "  %s: its log cannot be read: %v\n", f, err)
				break
			}
			for _, e := range page.Events {
				lines = append(lines, aws.ToString(e.Message))
			}
		}
		for _, line := range slices.Clip(lines)[max(0, len(lines)-logLines):] {
			fmt.Fprintf(out, "  %s: %s\n", f, printable(line))
		}
	}
}

// printable replaces the characters of a log line that could control the terminal.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, strings.TrimSpace(line))
}
