package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/routes"
)

// The policy of a resource must allow each AWS service that calls the resource. A policy that was added for a denial
// also replaces the default policy, which would have allowed these calls.

func TestAlarmsMayPublish(t *testing.T) {
	tpl := of(t, full)
	for alarm, r := range tpl.each(t, "AWS::CloudWatch::Alarm") {
		for _, action := range []string{"AlarmActions", "OKActions"} {
			for _, target := range list(r.Properties[action]) {
				topic := id(target)
				if tpl.Resources[topic].Type != "AWS::SNS::Topic" || tpl.Resources[topic].Properties["KmsMasterKeyId"] != nil {
					t.Fatalf("%s calls %v: the test does not know this kind of target", alarm, target)
				}
				ring := func(change func(*request)) bool {
					r := request{"cloudwatch.amazonaws.com", "sns:Publish", tpl.arn(t, topic), map[string][]string{
						"aws:SourceArn": {tpl.arn(t, alarm)}, "aws:SourceAccount": {thisAccount}, "aws:SecureTransport": {"true"},
					}}
					change(&r)
					return allows(tpl.policies(t, topic, "Topics"), r)
				}
				if !ring(func(*request) {}) {
					t.Errorf("%s: the action %s may not publish to %s", alarm, action, topic)
				}
				for who, change := range map[string]func(*request){
					"an alarm of another account": func(r *request) { r.context["aws:SourceAccount"] = []string{"999999999999"} },
					"a rule instead of an alarm":  func(r *request) { r.context["aws:SourceArn"] = []string{"arn:aws:events:x:" + thisAccount + ":rule/r"} },
					"another service":             func(r *request) { r.service = "events.amazonaws.com" },
					"a caller without TLS":        func(r *request) { r.context["aws:SecureTransport"] = []string{"false"} },
				} {
					if ring(change) {
						t.Errorf("%s may publish to %s", who, topic)
					}
				}
			}
		}
	}
}

// published has the metrics that AWS publishes for each queue and function in each minute with activity: the dimension,
// the type of the resource that it names, and the greatest possible value.
var published = map[string]struct {
	dimension, of string
	most          float64
}{
	"AWS/SQS ApproximateNumberOfMessagesVisible": {"QueueName", "AWS::SQS::Queue", 1e9},
	"AWS/SQS ApproximateAgeOfOldestMessage":      {"QueueName", "AWS::SQS::Queue", limits.LaneRetention.Seconds()},
	"AWS/Lambda Errors":                          {"FunctionName", "AWS::Lambda::Function", 1e9},
}

func TestAlarmsCanBeRaised(t *testing.T) {
	tpl := of(t, full)
	for alarm, r := range tpl.each(t, "AWS::CloudWatch::Alarm") {
		metric, known := published[fmt.Sprint(r.Properties["Namespace"], " ", r.Properties["MetricName"])]
		dimensions := list(r.Properties["Dimensions"])
		if !known || len(dimensions) != 1 {
			t.Errorf("%s: AWS does not publish %v %v", alarm, r.Properties["MetricName"], dimensions)
			continue
		}
		if of := tpl.Resources[id(get(dimensions[0], "Value"))].Type; get(dimensions[0], "Name") != metric.dimension || of != metric.of {
			t.Errorf("%s: %v is not published by %v", alarm, r.Properties["MetricName"], dimensions[0])
		}
		threshold, _ := r.Properties["Threshold"].(float64)
		if threshold <= 0 || threshold > metric.most || r.Properties["ComparisonOperator"] != "GreaterThanOrEqualToThreshold" {
			t.Errorf("%s: %v %v is always true or never", alarm, r.Properties["ComparisonOperator"], threshold)
		}
		statistic, period := r.Properties["Statistic"], r.Properties["Period"]
		if (statistic != "Maximum" && statistic != "Sum") || period != 60.0 || r.Properties["EvaluationPeriods"] != 1.0 {
			t.Errorf("%s: %v of %v s, %v times", alarm, statistic, period, r.Properties["EvaluationPeriods"])
		}
		// Without activity nothing is published, which is not a fault.
		if r.Properties["TreatMissingData"] != "notBreaching" || r.Properties["ActionsEnabled"] == false {
			t.Errorf("%s: missing data are %v, actions %v", alarm, r.Properties["TreatMissingData"], r.Properties["ActionsEnabled"])
		}
	}
}

// A lane that is not consumed must raise an alarm before its messages become dead letters. Messages that wait by design
// must not raise one.
func TestSlowLanesRaiseAlarmsInTime(t *testing.T) {
	byDesign := map[lane.Name]time.Duration{lane.Retries: limits.MaxDelay}
	for _, name := range lane.Names() {
		visible := limits.Visibility(consumers[name].timeout)
		if age := oldest[name]; age < byDesign[name]+visible || age > limits.MaxReceiveCount*visible {
			t.Errorf("%s raises an alarm after %v; a message is tried again after %v and waits %v by design", name, age, visible, byDesign[name])
		}
	}
}

func TestServicesMayCallFunctions(t *testing.T) {
	tpl := of(t, full)
	may := func(service, function, source string) bool {
		for _, r := range tpl.each(t, "AWS::Lambda::Permission") {
			if r.Properties["Principal"] == service && r.Properties["Action"] == "lambda:InvokeFunction" &&
				id(r.Properties["FunctionName"]) == function && like(tpl.resolve(t, r.Properties["SourceArn"]), source) {
				return true
			}
		}
		return false
	}
	for rule, r := range tpl.each(t, "AWS::Events::Rule") {
		for _, target := range list(r.Properties["Targets"]) {
			if !may("events.amazonaws.com", id(get(target, "Arn")), tpl.arn(t, rule)) {
				t.Errorf("%s may not call %v", rule, target)
			}
		}
	}
	paths, api := tpl.paths(t), slices.Collect(maps.Keys(tpl.each(t, "AWS::ApiGateway::RestApi")))[0]
	for method, r := range tpl.each(t, "AWS::ApiGateway::Method") {
		path := paths[id(r.Properties["ResourceId"])]
		for _, f := range routes.HTTP() {
			function, _ := tpl.function(t, f)
			source := "arn:aws:execute-api:" + thisRegion + ":" + thisAccount + ":" + api + "/prod/GET" + path
			if called := strings.Contains(fmt.Sprint(get(r.Properties, "Integration", "Uri")), function); called && !may("apigateway.amazonaws.com", function, source) {
				t.Errorf("%s may not call %s for %s", method, function, path)
			}
		}
	}
}

func TestFunctionsMayUseTheirLanesAndLogs(t *testing.T) {
	tpl := of(t, full)
	for source, r := range tpl.each(t, "AWS::Lambda::EventSourceMapping") {
		role := id(tpl.Resources[id(r.Properties["FunctionName"])].Properties["Role"])
		queue := id(r.Properties["EventSourceArn"])
		for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
			if !allows(tpl.roleOf(t, role), request{action: action, resource: tpl.arn(t, queue)}) {
				t.Errorf("%s: %s may not %s", source, role, action)
			}
		}
		// By default a queue accepts dead letters from every queue of the account.
		dead := tpl.Resources[queue].Properties["RedrivePolicy"]
		letters := strings.TrimPrefix(tpl.resolve(t, get(dead, "deadLetterTargetArn")), "arn:aws:sqs:"+thisRegion+":"+thisAccount+":")
		if tpl.Resources[letters].Type != "AWS::SQS::Queue" || tpl.Resources[letters].Properties["RedriveAllowPolicy"] != nil {
			t.Errorf("%s has its dead letters in %v", queue, dead)
		}
	}
	for function, r := range tpl.each(t, "AWS::Lambda::Function") {
		log := tpl.arn(t, id(get(r.Properties, "LoggingConfig", "LogGroup")))
		for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
			stream := strings.TrimSuffix(log, "*") + "log-stream:s"
			if !allows(tpl.roleOf(t, id(r.Properties["Role"])), request{action: action, resource: stream}) {
				t.Errorf("%s may not %s", function, action)
			}
		}
	}
	for flow, r := range tpl.each(t, "AWS::EC2::FlowLog") {
		log := strings.TrimSuffix(tpl.arn(t, id(r.Properties["LogGroupName"])), "*") + "log-stream:s"
		if !allows(tpl.roleOf(t, id(r.Properties["DeliverLogsPermissionArn"])), request{action: "logs:PutLogEvents", resource: log}) {
			t.Errorf("%s may not write its log", flow)
		}
	}
}

// Lambda creates the network interfaces of a function with the function's role. The function's code has the same role
// but must not manage network interfaces.
func TestTheSendersCodeCannotManageNetworkInterfaces(t *testing.T) {
	tpl := of(t, full)
	sender, r := tpl.function(t, routes.Sender)
	policies := tpl.roleOf(t, id(r.Properties["Role"]))
	for _, action := range []string{
		"CreateNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets", "DeleteNetworkInterface",
		"AssignPrivateIpAddresses", "UnassignPrivateIpAddresses",
	} {
		call := request{action: "ec2:" + action, resource: "arn:aws:ec2:" + thisRegion + ":" + thisAccount + ":network-interface/eni-1"}
		if !allows(policies, call) {
			t.Errorf("Lambda may not %s for the sender", action)
		}
		call.context = map[string][]string{"lambda:SourceFunctionArn": {tpl.arn(t, sender)}}
		if allows(policies, call) {
			t.Errorf("the sender's code may %s", action)
		}
	}
	for _, p := range policies {
		if p.effect == "Allow" && slices.Contains(p.resources, "*") && slices.ContainsFunc(p.actions, func(a string) bool { return !strings.HasPrefix(a, "ec2:") }) {
			t.Errorf("the sender may %v on everything", p.actions)
		}
	}
}
