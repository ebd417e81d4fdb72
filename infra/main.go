// Command infra is the CDK app: it writes the CloudFormation template of one stage. "cdk deploy -c stage=dev" runs
// it; what can be chosen besides is in options.go and, for people, in docs/deploying.md.
//
// Every fact on which the cloud and the code must agree is a Go value that both read: routes, config, tables, lanes
// and limits. What each function may do is one list, grants.go.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	o, err := read(contextOf(app), os.Getenv("CDK_DEFAULT_ACCOUNT"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	newStack(app, o)
	check(app)
	app.Synth(nil)
}

// contextOf gives the context values of the command line and cdk.json.
func contextOf(app awscdk.App) map[string]any {
	values, _ := app.Node().GetAllContext(nil).(map[string]any)
	return values
}

// check makes the synthesis fail on what AWS's solution rules find and nag.go does not explain.
func check(app awscdk.App) {
	rules := cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)})
	awscdk.Aspects_Of(app).Add(rules, nil)
}
