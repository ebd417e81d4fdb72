package page_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"nepenthes/shared/console/page"
	"nepenthes/shared/delivery"
	"nepenthes/shared/payload"
)

// curlOf returns the command that repeats a request.
func curlOf(url, body string, headers map[string]string) *page.Curl {
	return page.CurlOf(&payload.Request{Attempt: &delivery.Attempt{ID: "att_1", Number: 1, URL: url}, Headers: headers, Body: &body})
}

// unprintable returns the characters of a command that are not printable, without the line ends between its parts.
func unprintable(command string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ReplaceAll(command, " \\\n  ", ""))
}

// Shells pass the right arguments to curl, whatever the request contains.
func TestCurlIsSafeToPaste(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("a'\"\\$`(){}[]*?~!#&;|<> \n\t\r\x7f\u009b\u202e\u2028\u200bä計"))))
		body, path, odd := any.Draw(t, "body"), any.Draw(t, "path"), any.Draw(t, "odd")
		c := curlOf("https://receiver.example.com/in?a=it's&b=$(id)`id`"+path, body, map[string]string{"X-Odd": "v" + odd, "webhook-signature": payload.Masked})
		if found := unprintable(c.Text); found != "" {
			t.Fatalf("the command %q has the unprintable %q", c.Text, found)
		}
		script := "curl() { for a in \"$@\"; do printf '%s\\0' \"$a\"; done; }\n" + c.Text
		for _, shell := range []string{"sh", "bash"} {
			out, err := exec.Command(shell, "-c", script).Output()
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Split(string(out), "\x00")
			want := []string{"--globoff", "--path-as-is", "-i", "-X", "POST", got[5]}
			if unprintable(odd) == "" {
				want = append(want, "-H", "X-Odd: v"+odd)
			}
			if c.FileHref == "" {
				want = append(want, "--data-raw", body, "")
			} else {
				want = append(want, "--data-binary", "@request.json", "")
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
				t.Fatalf("%s got %q, want %q", shell, got, want)
			}
		}
		if (c.FileHref == "") != (unprintable(body) == "" && len(body) < 1000) && len(body) < 1000 {
			t.Fatalf("got file %q for the body %q", c.FileHref, body)
		}
		if !strings.Contains(c.Note, "webhook-signature") {
			t.Fatalf("got note %q, want the missing header", c.Note)
		}
	})
}

// When a shell runs the command, the receiver gets the same bytes as before, and nothing else is run.
func TestCurlRepeatsTheRequest(t *testing.T) {
	type arrived struct{ uri, body, odd string }
	got := make(chan arrived, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- arrived{r.RequestURI, string(body), r.Header.Get("X-Odd")}
	}))
	t.Cleanup(receiver.Close)
	pwned := strings.Repeat("\x7f", 80) + "x; touch pwned #"
	bodies := map[string]string{
		"JSON": `{"action":"work_package:updated"}`, "deletes": `{"subject":"` + pwned + `"}`, "quotes": `{"a":"it's '; touch pwned; '"}`,
		"expansions": "{\"a\":\"$(touch pwned) `touch pwned` ${HOME} !! ~ *\"}", "lines": "{\n\t\"a\": 1\r\n}", "like a file": "@/etc/passwd",
		"other letters": `{"a":"größe 計 ع"}`, "bidi": "{\"a\":\"\u202e\u2066\"}", "C1": "{\"a\":\"\u009b2J\"}", "separators": "{\"a\":\"\u2028\u2029\"}",
		"long": `{"a":"` + strings.Repeat("'", 2000) + `"}`, "longer": `{"a":"` + strings.Repeat("x", 200_000) + `"}`, "a backslash": `{"a":"\\"}`,
	}
	for name, body := range bodies {
		for _, path := range []string{"/hooks", "/a/../b/./c?x=[1-3]&y={a,b}&z=it's$(touch%20pwned)"} {
			c := curlOf(receiver.URL+path, body, map[string]string{"Content-Type": "application/json", "X-Odd": `"'$HOME\`})
			for _, shell := range []string{"sh", "bash"} {
				t.Run(name+" "+path+" "+shell, func(t *testing.T) {
					folder := t.TempDir()
					if c.FileHref != "" {
						if err := os.WriteFile(filepath.Join(folder, "request.json"), []byte(body), 0o600); err != nil {
							t.Fatal(err)
						}
					}
					for line := range strings.SplitSeq(c.Text, "\n") {
						if len(line) > 4095 {
							t.Errorf("got a line of %d bytes, which terminals cut", len(line))
						}
					}
					run := exec.CommandContext(t.Context(), shell)
					run.Dir, run.Stdin = folder, bytes.NewBufferString(c.Text+"\n")
					if out, err := run.CombinedOutput(); err != nil {
						t.Fatalf("%v: %s", err, out)
					}
					if a, want := <-got, (arrived{path, body, `"'$HOME\`}); a != want {
						t.Errorf("the receiver got %.300q, want %.300q", a, want)
					}
					if _, err := os.Stat(filepath.Join(folder, "pwned")); err == nil {
						t.Error("the command ran something else")
					}
				})
			}
		}
	}
}
