package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"nepenthes/infra/deployed"
	"nepenthes/shared/routes"
	"nepenthes/shared/tables"
)

// explain answers the rules of AWS's solution checks that we decided against, each with the reason.
func (s *stack) explain(api awsapigateway.RestApi, topic awssns.Topic) {
	for _, t := range tables.All() {
		if !t.Recovery {
			explain(s.tables[t.Name], "AwsSolutions-DDB3", "What this table holds expires by itself or may be lost; recovery would cost more than storing it.")
		}
	}
	for _, secret := range []string{"Administrator", "CursorKey"} {
		explain(s.Node().FindChild(jsii.String(deployed.Secrets)).Node().FindChild(jsii.String(secret)), "AwsSolutions-SMG4",
			"People hold the administrator's secret and cursors hold the key: both are rotated by hand, see docs/operations.md.")
	}
	const ours = "The functions decide: they tell every fault in a problem document that a browser may read, which the gateway cannot."
	explain(api, "AwsSolutions-APIG2", ours)
	explain(api, "AwsSolutions-APIG4", ours)
	explain(api, "AwsSolutions-COG4", ours)
	explain(api, "AwsSolutions-APIG3", "Each client is limited by ourselves and all by the stage; a firewall costs more than an idle deployment and is for the operator to add.")
	explain(api, "AwsSolutions-IAM4", "The gateway's role for writing logs is the one that AWS keeps for this and nothing else.")
	if s.staticEgress {
		explain(s.functions[routes.Sender].Role(), "AwsSolutions-IAM5", "The calls for network interfaces know no resource: what they make has no name before.")
	}
	explain(topic, "AwsSolutions-SNS2", "Alarms carry no data, and CloudWatch can publish to an encrypted topic only with a key of its own at a dollar a month.")
}

func explain(about constructs.IConstruct, rule, reason string) {
	cdknag.NagSuppressions_AddResourceSuppressions(about, &[]*cdknag.NagPackSuppression{
		{Id: jsii.String(rule), Reason: jsii.String(reason)},
	}, jsii.Bool(true))
}
