// Command infra is the CDK app: it writes the CloudFormation template of one stage. "cdk deploy -c stage=dev" runs
// it. Its options are in options.go, and described in docs/deploying.md.
//
// Every fact on which the cloud and the code must agree is a Go value that both read: routes, config, tables, lanes
// and limits. The permissions of all functions are one list, in grants.go.
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

// contextOf returns the context values of the command line and cdk.json.
func contextOf(app awscdk.App) map[string]any {
	values, _ := app.Node().GetAllContext(nil).(map[string]any)
	return values
}

// check lets the synthesis fail for each violation of AWS's solution rules that nag.go does not explain.
func check(app awscdk.App) {
	rules := cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)})
	awscdk.Aspects_Of(app).Add(rules, nil)
}
