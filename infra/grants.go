package main

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"nepenthes/shared/keypair"
	"nepenthes/shared/lane"
	"nepenthes/shared/routes"
	"nepenthes/shared/tables"
)

// grant is a permission of a function. The permission to write its own log is not in the list.
type grant struct {
	actions []string
	// on finds the resources to which the actions apply.
	on target
	// parts limits the actions on a table to these parts of it (see package tables). nil means the whole table.
	parts []string
	// purpose limits the actions on the key to key pairs of this purpose. The condition lets a request pass that names
	// no purpose, because emulators do not show the purpose to conditions. KMS itself refuses such a request: a key
	// that was wrapped for a purpose cannot be unwrapped without it.
	purpose string
}

// target returns the ARNs of the resources of a grant.
type target func(*stack) []*string

func table(t tables.Table) target { return func(s *stack) []*string { return s.tables.arns(t) } }

func queue(name lane.Name) target {
	return func(s *stack) []*string { return []*string{s.lanes.all[name].QueueArn()} }
}

func key(s *stack) []*string                 { return []*string{s.secrets.key.KeyArn()} }
func administratorSecret(s *stack) []*string { return []*string{s.secrets.administrator} }
func cursorKey(s *stack) []*string           { return []*string{s.secrets.cursorKey} }

// Actions on a table. A transaction needs the permissions of the actions in it.
var (
	reading  = []string{"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
	writing  = slices.Concat(reading, []string{"dynamodb:PutItem", "dynamodb:UpdateItem"})
	deleting = slices.Concat(writing, []string{"dynamodb:DeleteItem"})
)

// Actions on parts of a table. Each concerns a single item, whose key the request names. (The condition would allow
// requests that name no key.)
var (
	put    = []string{"dynamodb:PutItem"}
	update = []string{"dynamodb:UpdateItem"}
	remove = []string{"dynamodb:DeleteItem"}
)

// The parts that a function writes when it writes settings, webhooks, clients and so on. With a webhook that is paused it
// writes a job.
var (
	settingsParts = []string{tables.SettingsPart, tables.CatalogueVersion}
	webhookParts  = []string{tables.WebhooksPart, tables.CatalogueVersion, tables.JobsPart}
	clientParts   = []string{tables.ClientsPart, tables.ClientsVersion}
	changeLog     = []string{tables.ChangeLogPart}
	revocations   = []string{tables.ValuesPart + tables.Revocations}
	signIns       = []string{tables.CountersPart + tables.SignIns}
	rates         = []string{tables.CountersPart + tables.Rates}
	consoleState  = []string{
		tables.ValuesPart + tables.Sessions, tables.ValuesPart + tables.SessionUses, tables.ValuesPart + tables.FormsSent,
	}
)

// Actions on a queue. In the cloud SendMessage includes batches; emulators require SendMessageBatch for them.
var (
	send    = []string{"sqs:SendMessage", "sqs:SendMessageBatch"}
	consume = []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
)

// Actions on keys and secrets.
var (
	makePairs = []string{"kms:GenerateDataKeyPairWithoutPlaintext"}
	unwrap    = []string{"kms:Decrypt"}
	readIt    = []string{"secretsmanager:GetSecretValue"}
)

// grants lists all permissions of each function. Only the sender can open webhook secrets, and only oauth can sign
// tokens. Writes to the config and state tables are limited to parts. So a function that was taken over cannot plant
// a key, a client or a session, unless creating these is its own task.
var grants = map[routes.Function][]grant{
	routes.Settings: {
		{actions: reading, on: table(tables.Config)},
		{actions: put, on: table(tables.Config), parts: settingsParts},
		{actions: reading, on: table(tables.State)},
		{actions: put, on: table(tables.State), parts: changeLog},
		{actions: update, on: table(tables.State), parts: rates},
	},
	routes.Webhooks: {
		{actions: reading, on: table(tables.Config)},
		{actions: put, on: table(tables.Config), parts: slices.Concat(webhookParts, []string{
			tables.WebhookNames, tables.ProjectsPart, tables.KeyPairsPart + keypair.WebhookSecrets,
		})},
		{actions: remove, on: table(tables.Config), parts: []string{tables.WebhooksPart, tables.WebhookNames}},
		{actions: writing, on: table(tables.Events)},
		{actions: writing, on: table(tables.Deliveries)},
		{actions: reading, on: table(tables.State)},
		{actions: put, on: table(tables.State), parts: changeLog},
		{actions: update, on: table(tables.State), parts: rates},
		{actions: send, on: queue(lane.Events)},
		{actions: send, on: queue(lane.Deliveries)},
		{actions: send, on: queue(lane.Retries)},
		{actions: makePairs, on: key, purpose: keypair.WebhookSecrets},
		{actions: readIt, on: cursorKey},
	},
	routes.OAuth: {
		{actions: reading, on: table(tables.Config)},
		{actions: put, on: table(tables.Config), parts: slices.Concat(clientParts, []string{tables.KeyPairsPart + keypair.TokenSigning})},
		{actions: remove, on: table(tables.Config), parts: []string{tables.ClientsPart}},
		{actions: reading, on: table(tables.State)},
		{actions: put, on: table(tables.State), parts: revocations},
		{actions: update, on: table(tables.State), parts: slices.Concat(signIns, rates)},
		{actions: makePairs, on: key, purpose: keypair.TokenSigning},
		{actions: unwrap, on: key, purpose: keypair.TokenSigning},
		{actions: readIt, on: administratorSecret},
	},
	routes.Console: {
		{actions: reading, on: table(tables.Config)},
		{actions: put, on: table(tables.Config), parts: slices.Concat(webhookParts, clientParts, []string{
			tables.SettingsPart, tables.WebhookNames, tables.ProjectsPart, tables.KeyPairsPart + keypair.WebhookSecrets,
		})},
		{actions: remove, on: table(tables.Config), parts: []string{tables.WebhooksPart, tables.WebhookNames, tables.ClientsPart}},
		{actions: writing, on: table(tables.Events)},
		{actions: writing, on: table(tables.Deliveries)},
		{actions: reading, on: table(tables.State)},
		{actions: put, on: table(tables.State), parts: slices.Concat(changeLog, consoleState)},
		{actions: update, on: table(tables.State), parts: slices.Concat(signIns, rates)},
		{actions: remove, on: table(tables.State), parts: consoleState},
		{actions: send, on: queue(lane.Deliveries)},
		{actions: send, on: queue(lane.Retries)},
		{actions: makePairs, on: key, purpose: keypair.WebhookSecrets},
		{actions: readIt, on: cursorKey},
		{actions: readIt, on: administratorSecret},
	},
	routes.Fanout: {
		{actions: consume, on: queue(lane.Events)},
		{actions: reading, on: table(tables.Config)},
		{actions: put, on: table(tables.Config), parts: []string{tables.ProjectsPart}},
		{actions: writing, on: table(tables.Events)},
		{actions: reading, on: table(tables.State)},
		{actions: send, on: queue(lane.Deliveries)},
		{actions: send, on: queue(lane.Events.DeadLetters())},
	},
	routes.Sender: {
		{actions: consume, on: queue(lane.Deliveries)},
		{actions: consume, on: queue(lane.Retries)},
		{actions: reading, on: table(tables.Config)},
		{actions: put, on: table(tables.Config), parts: webhookParts},
		{actions: reading, on: table(tables.Events)},
		{actions: deleting, on: table(tables.Deliveries)},
		{actions: reading, on: table(tables.State)},
		{actions: put, on: table(tables.State), parts: changeLog},
		{actions: send, on: queue(lane.Retries)},
		{actions: unwrap, on: key, purpose: keypair.WebhookSecrets},
	},
	routes.Sweeper: {
		{actions: reading, on: table(tables.Config)},
		{actions: put, on: table(tables.Config), parts: []string{tables.JobsPart}},
		{actions: remove, on: table(tables.Config), parts: []string{tables.JobsPart}},
		{actions: writing, on: table(tables.Deliveries)},
		{actions: send, on: queue(lane.Retries)},
	},
}

// grant adds the grants to the roles of the functions.
func (s *stack) grant() {
	for _, f := range routes.Functions() {
		for _, g := range grants[f] {
			props := &awsiam.PolicyStatementProps{Actions: jsii.Strings(g.actions...), Resources: ptr(g.on(s))}
			if condition := g.condition(); condition != nil {
				props.Conditions = &condition
			}
			s.functions[f].AddToRolePolicy(awsiam.NewPolicyStatement(props))
		}
	}
	if s.staticEgress {
		s.grantNetwork()
	}
}

// condition returns the condition of the grant, or nil if it has none.
func (g grant) condition() map[string]any {
	switch {
	case g.purpose != "":
		return map[string]any{"StringEqualsIfExists": map[string]string{"kms:EncryptionContext:purpose": g.purpose}}
	case g.parts != nil:
		var patterns []string
		for _, part := range g.parts {
			patterns = append(patterns, tables.Pattern(part))
		}
		return map[string]any{"ForAllValues:StringLike": map[string][]string{"dynamodb:LeadingKeys": patterns}}
	}
	return nil
}

// grantNetwork lets Lambda create the sender's network interfaces, which it does with the sender's role. These calls
// cannot be limited to a resource. The sender's own code uses the same role, so these calls are denied to it. The
// condition of the denial is true only for calls from the function's code.
func (s *stack) grantNetwork() {
	sender := s.functions[routes.Sender]
	sender.AddToRolePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
			"ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"),
		Resources: jsii.Strings("*"),
	}))
	// This is a separate policy. The function depends on the role's own policy, which therefore cannot name the function.
	awsiam.NewPolicy(sender, jsii.String("OwnCode"), &awsiam.PolicyProps{
		Roles: &[]awsiam.IRole{sender.Role()},
		Statements: &[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Effect: awsiam.Effect_DENY,
			Actions: jsii.Strings("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
				"ec2:DeleteNetworkInterface", "ec2:DetachNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"),
			Resources:  jsii.Strings("*"),
			Conditions: &map[string]any{"ArnEquals": map[string]*string{"lambda:SourceFunctionArn": sender.FunctionArn()}},
		})},
	})
}

func ptr[T any](v T) *T { return &v }
