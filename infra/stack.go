package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"nepenthes/infra/deployed"
)

// stack is the stack of one stage.
type stack struct {
	awscdk.Stack
	options
	tables    tableSet
	lanes     lanes
	secrets   secrets
	functions functions
}

// newStack creates all resources of a stage. None of them has a physical name, so that several stages can exist side
// by side and each resource can be replaced.
func newStack(app awscdk.App, o options) *stack {
	s := &stack{options: o, Stack: awscdk.NewStack(app, jsii.String(deployed.StackName(o.stage)), &awscdk.StackProps{
		Description:        jsii.String("Nepenthes: API and webhooks, stage " + o.stage),
		AnalyticsReporting: jsii.Bool(false),
	})}
	s.tables = newTables(s.part(deployed.Tables))
	s.lanes = newLanes(s.part(deployed.Lanes), o.producers)
	s.secrets = newSecrets(s.part(deployed.Secrets))
	s.functions = s.newFunctions()
	s.orderUpdates()
	s.grant()
	s.consume()
	s.sweep()
	gateway := s.newGateway()
	s.explain(gateway, s.watch())
	s.output("ApiId", gateway.RestApiId())
	s.output("ApiUrl", s.url(gateway))
	s.output("EventsQueueUrl", s.lanes.events.QueueUrl())
	s.output("EventsQueueArn", s.lanes.events.QueueArn())
	s.output("AdministratorSecretArn", s.secrets.administrator)
	s.output("Stage", jsii.String(o.stage))
	return s
}

// part returns a scope for one concern.
func (s *stack) part(name string) constructs.Construct {
	return constructs.NewConstruct(s.Stack, jsii.String(name))
}

func (s *stack) output(name string, value *string) {
	awscdk.NewCfnOutput(s.Stack, jsii.String(name), &awscdk.CfnOutputProps{Value: value})
}

// issuer returns the issuer of the stage's tokens, see config.API.
func (s *stack) issuer() string {
	if s.publicURL != "" {
		return s.publicURL
	}
	return "urn:nepenthes:" + *s.StackName()
}
