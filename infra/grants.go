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

// grant is one thing that a function may do, besides writing its own log.
type grant struct {
	actions []string
	// on is what it may do it to.
	on target
	// parts, for a table, are the only parts of it to which it may; nil: to all (see package tables).
	parts []string
	// purpose, for the key, is the only purpose of a key pair for which it may. A request that names none gets
	// nothing either, from the key itself: what was wrapped for a purpose does not open without it. (So the
	// condition can let it pass, and holds in emulators, whose rules do not see the purpose.)
	purpose string
}

// target finds the ARNs of what a grant is about.
type target func(*stack) []*string

func table(t tables.Table) target { return func(s *stack) []*string { return s.tables.arns(t) } }

func queue(name lane.Name) target {
	return func(s *stack) []*string { return []*string{s.lanes.all[name].QueueArn()} }
}

func key(s *stack) []*string                 { return []*string{s.secrets.key.KeyArn()} }
func administratorSecret(s *stack) []*string { return []*string{s.secrets.administrator} }
func cursorKey(s *stack) []*string           { return []*string{s.secrets.cursorKey} }

// What can be done to a table. A transaction needs the permissions of what is in it.
var (
	reading  = []string{"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
	writing  = slices.Concat(reading, []string{"dynamodb:PutItem", "dynamodb:UpdateItem"})
	deleting = slices.Concat(writing, []string{"dynamodb:DeleteItem"})
)

// What can be done to parts of a table: each names the one item that it is about. (The condition would let requests
// through that name none.)
var (
	put    = []string{"dynamodb:PutItem"}
	update = []string{"dynamodb:UpdateItem"}
	remove = []string{"dynamodb:DeleteItem"}
)

// The parts of the tables by what can be read in them: whoever writes such a thing writes these parts.
var (
	settingsParts = []string{tables.SettingsPart, tables.CatalogueVersion}
	webhookParts  = []string{tables.WebhooksPart, tables.CatalogueVersion}
	clientParts   = []string{tables.ClientsPart, tables.ClientsVersion}
	changeLog     = []string{tables.ChangeLogPart}
	revocations   = []string{tables.ValuesPart + tables.Revocations}
	signIns       = []string{tables.CountersPart + tables.SignIns}
	rates         = []string{tables.CountersPart + tables.Rates}
	consoleState  = []string{
		tables.ValuesPart + tables.Sessions, tables.ValuesPart + tables.SessionUses, tables.ValuesPart + tables.FormsSent,
	}
)

// What can be done to a queue. In the cloud SendMessage covers batches; emulators ask for those by their own name.
var (
	send    = []string{"sqs:SendMessage", "sqs:SendMessageBatch"}
	consume = []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
)

// What can be done with keys and secrets.
var (
	makePairs = []string{"kms:GenerateDataKeyPairWithoutPlaintext"}
	unwrap    = []string{"kms:Decrypt"}
	readIt    = []string{"secretsmanager:GetSecretValue"}
)

// grants is all that each function may do. Only the sender can open webhook secrets, and only oauth can sign. The
// config and the state table are written by parts: a function that was taken over can plant neither a key nor a
// client nor a session that is not its own to make.
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
		{actions: writing, on: table(tables.Deliveries)},
		{actions: send, on: queue(lane.Retries)},
	},
}

// grant writes the list into the functions' roles.
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

// condition is what must hold for the grant; nil for nothing.
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

// grantNetwork lets Lambda put up the sender's network interfaces, which it does in the name of the sender's role.
// These calls know no resource. The sender's own code calls with the same role, so it is denied them all: the
// condition holds for calls out of the function alone.
func (s *stack) grantNetwork() {
	sender := s.functions[routes.Sender]
	sender.AddToRolePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
			"ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"),
		Resources: jsii.Strings("*"),
	}))
	// A policy of its own: the function waits for the role's, which so cannot name the function.
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
