package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/routes"
)

// oldest is the age of a lane's oldest message that raises an alarm. A retry may wait in its lane for the maximum
// delay by design.
var oldest = map[lane.Name]time.Duration{
	lane.Events:     5 * time.Minute,
	lane.Deliveries: 5 * time.Minute,
	lane.Retries:    limits.MaxDelay + 15*time.Minute,
}

// watch creates the alarms and returns the topic to which they publish. docs/operations.md explains each alarm.
func (s *stack) watch() awssns.Topic {
	w := watcher{scope: s.part("Alarms")}
	topic := s.newTopic(w.scope)
	if s.alarmAddress != "" {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(s.alarmAddress), nil))
	}
	w.action = awscloudwatchactions.NewSnsAction(topic)
	for _, name := range lane.Names() {
		dead := s.lanes.all[name.DeadLetters()]
		w.alarm(string(name)+"-dead", "There are messages in the dead-letter queue of "+string(name)+" that our own code could not process.",
			dead.MetricApproximateNumberOfMessagesVisible(everyMinute("Maximum")), 1)
		w.alarm(string(name)+"-old", "The lane "+string(name)+" is falling behind.",
			s.lanes.all[name].MetricApproximateAgeOfOldestMessage(everyMinute("Maximum")), oldest[name].Seconds())
	}
	for _, f := range routes.Functions() {
		w.alarm(string(f)+"-errors", "The function "+string(f)+" crashed, ran out of time or could not start.",
			s.functions[f].MetricErrors(everyMinute("Sum")), 1)
	}
	return topic
}

// newTopic creates the topic. Requiring TLS gives it a policy, which replaces the default policy that lets the account
// publish. So this policy must also allow CloudWatch to publish.
func (s *stack) newTopic(scope constructs.Construct) awssns.Topic {
	topic := awssns.NewTopic(scope, jsii.String("Topic"), &awssns.TopicProps{EnforceSSL: jsii.Bool(true)})
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{topic.TopicArn()},
		Conditions: &map[string]any{
			"StringEquals": map[string]*string{"aws:SourceAccount": s.Account()},
			"ArnLike": map[string]*string{"aws:SourceArn": s.FormatArn(&awscdk.ArnComponents{
				Service: jsii.String("cloudwatch"), Resource: jsii.String("alarm"), ResourceName: jsii.String("*"),
				ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
			})},
		},
	}))
	return topic
}

func everyMinute(statistic string) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Period: seconds(time.Minute), Statistic: jsii.String(statistic)}
}

type watcher struct {
	scope  constructs.Construct
	action awscloudwatch.IAlarmAction
}

// alarm creates an alarm that publishes when the metric reaches the threshold, and again when it is below it.
func (w watcher) alarm(name, description string, metric awscloudwatch.Metric, threshold float64) {
	alarm := awscloudwatch.NewAlarm(w.scope, jsii.String(name), &awscloudwatch.AlarmProps{
		AlarmDescription: jsii.String(description + " See docs/operations.md."), Metric: metric,
		Threshold: jsii.Number(threshold), ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		EvaluationPeriods: jsii.Number(1), TreatMissingData: awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
	alarm.AddAlarmAction(w.action)
	alarm.AddOkAction(w.action)
}
