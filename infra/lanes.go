package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/routes"
)

// lanes holds the queues and their dead-letter queues by the names of their lanes.
type lanes struct {
	all    map[lane.Name]awssqs.Queue
	events awssqs.Queue
}

// consumers says for each lane which function consumes it, its timeout, and its maximum concurrency. Lanes share the
// account's concurrency, and a flooded lane takes no more than this. The retries have a small share, because attempts
// to hanging receivers gather there.
var consumers = map[lane.Name]struct {
	function    routes.Function
	timeout     time.Duration
	concurrency float64
}{
	lane.Events:     {routes.Fanout, limits.FanoutTimeout, 50},
	lane.Deliveries: {routes.Sender, limits.SenderTimeout, 200},
	lane.Retries:    {routes.Sender, limits.SenderTimeout, 50},
}

// newLanes creates the queues. Besides our own account, only the given accounts may push events. Everybody must use
// TLS.
func newLanes(scope constructs.Construct, producers []string) lanes {
	l := lanes{all: map[lane.Name]awssqs.Queue{}}
	for _, name := range lane.Names() {
		dead := newQueue(scope, name.DeadLetters(), nil, nil)
		l.all[name.DeadLetters()] = dead
		l.all[name] = newQueue(scope, name, seconds(limits.Visibility(consumers[name].timeout)), &awssqs.DeadLetterQueue{
			Queue: dead, MaxReceiveCount: jsii.Number(limits.MaxReceiveCount),
		})
	}
	l.events = l.all[lane.Events]
	for _, account := range producers {
		l.events.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Principals: &[]awsiam.IPrincipal{awsiam.NewAccountPrincipal(account)},
			Actions:    jsii.Strings("sqs:SendMessage", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"),
			Resources:  &[]*string{l.events.QueueArn()},
		}))
	}
	return l
}

func newQueue(scope constructs.Construct, name lane.Name, visibility awscdk.Duration, dead *awssqs.DeadLetterQueue) awssqs.Queue {
	return awssqs.NewQueue(scope, jsii.String(string(name)), &awssqs.QueueProps{
		Encryption:          awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:          jsii.Bool(true),
		RetentionPeriod:     seconds(limits.LaneRetention),
		MaxMessageSizeBytes: jsii.Number(limits.BatchBytes),
		VisibilityTimeout:   visibility,
		DeadLetterQueue:     dead,
		// Messages are data: queues outlive the stack, like tables.
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
}

// consume connects each lane to its function.
func (s *stack) consume() {
	for _, name := range lane.Names() {
		c := consumers[name]
		s.functions[c.function].AddEventSourceMapping(jsii.String(string(name)), &awslambda.EventSourceMappingOptions{
			EventSourceArn:          s.lanes.all[name].QueueArn(),
			BatchSize:               jsii.Number(limits.BatchSize),
			ReportBatchItemFailures: jsii.Bool(true),
			MaxConcurrency:          jsii.Number(c.concurrency),
		})
	}
}

func seconds(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}
