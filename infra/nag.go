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

// explain suppresses those rules of AWS's solution checks that we decided against, each with the reason.
func (s *stack) explain(api awsapigateway.RestApi, topic awssns.Topic) {
	for _, t := range tables.All() {
		if !t.Recovery {
			explain(s.tables[t.Name], "AwsSolutions-DDB3", "The items of this table expire by themselves or may be lost. Recovery would cost more than storage.")
		}
	}
	for _, secret := range []string{"Administrator", "CursorKey"} {
		explain(s.Node().FindChild(jsii.String(deployed.Secrets)).Node().FindChild(jsii.String(secret)), "AwsSolutions-SMG4",
			"People use the administrator's secret, and the cursor key protects cursors that clients have. Both are rotated by hand, see docs/operations.md.")
	}
	const ours = "The functions check this. They report every fault in a problem document that a browser may read, which the gateway cannot do."
	explain(api, "AwsSolutions-APIG2", ours)
	explain(api, "AwsSolutions-APIG4", ours)
	explain(api, "AwsSolutions-COG4", ours)
	explain(api, "AwsSolutions-APIG3", "The functions limit each client, and the stage limits all clients together. A firewall costs more than an idle deployment; the operator can add one.")
	explain(api, "AwsSolutions-IAM4", "The gateway writes logs with the managed policy that AWS provides for exactly this purpose.")
	if s.staticEgress {
		explain(s.functions[routes.Sender].Role(), "AwsSolutions-IAM5", "The calls for network interfaces cannot be limited to a resource, because the interfaces do not exist yet.")
	}
	explain(topic, "AwsSolutions-SNS2", "Alarms contain no data. CloudWatch can publish to an encrypted topic only with a customer-managed key, which costs a dollar a month.")
}

func explain(about constructs.IConstruct, rule, reason string) {
	cdknag.NagSuppressions_AddResourceSuppressions(about, &[]*cdknag.NagPackSuppression{
		{Id: jsii.String(rule), Reason: jsii.String(reason)},
	}, jsii.Bool(true))
}
