package main

import (
	"path/filepath"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"nepenthes/infra/deployed"
	"nepenthes/shared/config"
	"nepenthes/shared/limits"
	"nepenthes/shared/routes"
)

type functions map[routes.Function]awslambda.Function

const (
	// apiTimeout is long enough for the API to answer by itself that the request took too long. It is shorter than
	// the gateway's timeout of 29 s.
	apiTimeout = limits.APITimeout + 3*time.Second
	// Memory, in MB, determines the share of a processor (a whole one at 1,769 MB). Requests wait for signatures and
	// TLS handshakes. Queue consumers mostly wait for the network.
	apiMemory   = 512
	queueMemory = 256
	// logRetention is how long log lines are kept.
	logRetention = awslogs.RetentionDays_ONE_MONTH
)

// newFunctions creates every function with the environment that package config declares for it.
func (s *stack) newFunctions() functions {
	scope := s.part(deployed.Functions)
	api := func(f routes.Function, env map[string]string) awslambda.Function {
		props := &awslambda.FunctionProps{Timeout: seconds(apiTimeout), MemorySize: jsii.Number(apiMemory)}
		if s.reserved > 0 {
			props.ReservedConcurrentExecutions = jsii.Number(s.reserved)
		}
		return s.newFunction(scope, f, env, props)
	}
	queue := func(f routes.Function, timeout time.Duration, env map[string]string, props *awslambda.FunctionProps) awslambda.Function {
		props.Timeout, props.MemorySize = seconds(timeout), jsii.Number(queueMemory)
		return s.newFunction(scope, f, env, props)
	}
	e := s.environment()
	return functions{
		routes.Settings: api(routes.Settings, config.Env(e.settings)),
		routes.Webhooks: api(routes.Webhooks, config.Env(e.webhooks)),
		routes.OAuth:    api(routes.OAuth, config.Env(e.oauth)),
		routes.Console:  api(routes.Console, config.Env(e.console)),
		routes.Fanout:   queue(routes.Fanout, limits.FanoutTimeout, config.Env(e.fanout), &awslambda.FunctionProps{}),
		routes.Sender:   queue(routes.Sender, limits.SenderTimeout, config.Env(e.sender), s.senderProps(scope)),
		routes.Sweeper:  queue(routes.Sweeper, limits.SweeperTimeout, config.Env(e.sweeper), &awslambda.FunctionProps{}),
	}
}

// orderUpdates makes a deployment update the reader of sealed values and of webhooks before the writers. So no function
// writes a new form of sealed values, or pauses a webhook, while the old sender is still deployed: it could not open the
// values, and would send to the webhook.
func (s *stack) orderUpdates() {
	reader := s.functions[routes.Sender].Node().DefaultChild().(awslambda.CfnFunction)
	for _, writer := range []routes.Function{routes.Webhooks, routes.Console} {
		s.functions[writer].Node().DefaultChild().(awslambda.CfnFunction).AddResourceDependency(reader, jsii.String("The sender opens what this function seals."))
	}
}

// senderProps returns the properties that only the sender has. The sender sends doorbells to itself, one for each
// retry and each postponement. By default Lambda takes that for a runaway loop and stops it after 16 rounds.
func (s *stack) senderProps(scope constructs.Construct) *awslambda.FunctionProps {
	props := &awslambda.FunctionProps{RecursiveLoop: awslambda.RecursiveLoop_ALLOW}
	if s.staticEgress {
		props.Vpc = s.newNetwork()
		props.VpcSubnets = &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS}
	}
	return props
}

// newFunction creates a function with its own role and its own log. At first the role may only write this log.
func (s *stack) newFunction(scope constructs.Construct, f routes.Function, env map[string]string, props *awslambda.FunctionProps) awslambda.Function {
	part := constructs.NewConstruct(scope, jsii.String(string(f)))
	log := newLog(part)
	role := awsiam.NewRole(part, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("logs:CreateLogStream", "logs:PutLogEvents"), Resources: &[]*string{log.LogGroupArn()},
	}))
	variables := map[string]*string{}
	for name, value := range env {
		variables[name] = jsii.String(value)
	}
	props.Code = awslambda.Code_FromAsset(jsii.String(filepath.Join(s.binaries, string(f))), nil)
	props.Runtime = awslambda.Runtime_PROVIDED_AL2023()
	props.Architecture = awslambda.Architecture_ARM_64()
	props.Handler = jsii.String("bootstrap")
	props.Environment = &variables
	props.Role = role
	props.LogGroup = log
	props.LoggingFormat = awslambda.LoggingFormat_JSON
	props.ApplicationLogLevelV2 = awslambda.ApplicationLogLevel_INFO
	// Lambda's own lines about each invocation would be more than half of the log.
	props.SystemLogLevelV2 = awslambda.SystemLogLevel_WARN
	return awslambda.NewFunction(part, jsii.String("Function"), props)
}

func newLog(scope constructs.Construct) awslogs.LogGroup {
	return awslogs.NewLogGroup(scope, jsii.String("Log"), &awslogs.LogGroupProps{
		Retention: logRetention, RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
}

// sweep creates a rule that calls the sweeper every minute. A failed call is not repeated, since the next one follows
// soon.
func (s *stack) sweep() {
	awsevents.NewRule(s.part("Clock"), jsii.String("EveryMinute"), &awsevents.RuleProps{
		Description: jsii.String("Calls the sweeper, which sends doorbells for deliveries that are due"),
		Schedule:    awsevents.Schedule_Rate(seconds(limits.SweepPeriod)),
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(s.functions[routes.Sweeper], &awseventstargets.LambdaFunctionProps{
			RetryAttempts: jsii.Number(0), MaxEventAge: seconds(limits.SweepPeriod),
		})},
	})
}
