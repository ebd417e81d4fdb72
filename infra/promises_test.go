package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nepenthes/shared/config"
	"nepenthes/shared/keypair"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/routes"
	"nepenthes/shared/tables"
)

func TestSolutionRulesAreFollowedOrExplained(t *testing.T) {
	for name, make := range map[string]func() (*template, error){"plain": plain, "full": full} {
		t.Run(name, func(t *testing.T) {
			for _, finding := range of(t, make).findings {
				t.Error(finding)
			}
		})
	}
}

func TestResourcesHaveNoPhysicalNames(t *testing.T) {
	names := regexp.MustCompile(`^(Function|Queue|Table|Role|Policy|Topic|Alarm|LogGroup|Alias|Rule)?Name$`)
	for id, r := range of(t, full).Resources {
		for property, value := range r.Properties {
			// A reference is not a physical name. A policy's name is unique only within its role, and people see the names
			// of the gateway.
			if _, literal := value.(string); literal && names.MatchString(property) && r.Type != "AWS::IAM::Policy" && !strings.HasPrefix(r.Type, "AWS::ApiGateway::") {
				t.Errorf("%s: %s is %v", id, property, value)
			}
		}
	}
}

func TestTablesAreAsDeclared(t *testing.T) {
	tpl := of(t, plain)
	if got, want := len(tpl.each(t, "AWS::DynamoDB::Table")), len(tables.All()); got != want {
		t.Errorf("got %d tables, want %d", got, want)
	}
	for _, declared := range tables.All() {
		t.Run(declared.Name, func(t *testing.T) {
			_, r := tpl.one(t, "AWS::DynamoDB::Table", "Tables", declared.Name)
			kinds := map[string]any{}
			for _, a := range list(r.Properties["AttributeDefinitions"]) {
				kinds[get(a, "AttributeName").(string)] = get(a, "AttributeType")
			}
			schema := func(partition tables.Attribute, sort *tables.Attribute) []any {
				keys := []any{object{"AttributeName": partition.Name, "KeyType": "HASH"}}
				kinds := map[string]any{partition.Name: string(partition.Kind)}
				if sort != nil {
					keys = append(keys, object{"AttributeName": sort.Name, "KeyType": "RANGE"})
					kinds[sort.Name] = string(sort.Kind)
				}
				return []any{keys, kinds}
			}
			compare := func(what string, got any, partition tables.Attribute, sort *tables.Attribute) {
				t.Helper()
				used := map[string]any{}
				for _, k := range list(got) {
					name := get(k, "AttributeName").(string)
					used[name] = kinds[name]
				}
				if diff := cmp.Diff(schema(partition, sort), []any{got, used}); diff != "" {
					t.Errorf("%s: %s", what, diff)
				}
			}
			compare("table", r.Properties["KeySchema"], declared.Partition, declared.Sort)
			indexes := list(r.Properties["GlobalSecondaryIndexes"])
			if len(indexes) != len(declared.Indexes) {
				t.Fatalf("got %d indexes, want %d", len(indexes), len(declared.Indexes))
			}
			for i, want := range declared.Indexes {
				compare(want.Name, get(indexes[i], "KeySchema"), want.Partition, &want.Sort)
				if get(indexes[i], "IndexName") != want.Name || get(indexes[i], "Projection", "ProjectionType") != "KEYS_ONLY" {
					t.Errorf("got %v", indexes[i])
				}
			}
			if got := r.Properties["BillingMode"]; got != "PAY_PER_REQUEST" {
				t.Errorf("billed %v", got)
			}
			if got := get(r.Properties, "TimeToLiveSpecification", "AttributeName"); (got == nil) != (declared.TTL == "") || got != nil && got != declared.TTL {
				t.Errorf("TTL is %v, want %q", got, declared.TTL)
			}
			if got := get(r.Properties, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"); got != declared.Recovery {
				t.Errorf("recovery is %v, want %v", got, declared.Recovery)
			}
			if got, want := r.Properties["DeletionProtectionEnabled"], declared.Name != tables.State.Name; got != want {
				t.Errorf("deletion protection is %v, want %v", got, want)
			}
		})
	}
}

func TestDataOutlivesTheStack(t *testing.T) {
	tpl := of(t, plain)
	for _, kind := range []string{"AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::KMS::Key"} {
		for id, r := range tpl.each(t, kind) {
			if r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
				t.Errorf("%s: deletion %q, replacement %q", id, r.DeletionPolicy, r.UpdateReplacePolicy)
			}
		}
	}
	for id, r := range tpl.each(t, "AWS::KMS::Key") {
		if r.Properties["EnableKeyRotation"] != true {
			t.Errorf("%s is not rotated", id)
		}
	}
}

// TestReadersAreDeployedBeforeWriters checks that the functions that seal webhook secrets are updated after the function
// that opens them.
func TestReadersAreDeployedBeforeWriters(t *testing.T) {
	for name, make := range map[string]func() (*template, error){"plain": plain, "full": full} {
		t.Run(name, func(t *testing.T) {
			tpl := of(t, make)
			sender, _ := tpl.function(t, routes.Sender)
			for _, writer := range []routes.Function{routes.Webhooks, routes.Console} {
				if _, r := tpl.function(t, writer); !slices.Contains(r.DependsOn, sender) {
					t.Errorf("%s depends on %v, and not on the sender", writer, r.DependsOn)
				}
			}
		})
	}
}

func TestQueues(t *testing.T) {
	tpl := of(t, plain)
	queues := tpl.each(t, "AWS::SQS::Queue")
	if got, want := len(queues), 2*len(lane.Names()); got != want {
		t.Errorf("got %d queues, want %d", got, want)
	}
	for queue, r := range queues {
		if r.Properties["SqsManagedSseEnabled"] != true {
			t.Errorf("%s is not encrypted", queue)
		}
		if got, want := r.Properties["MessageRetentionPeriod"], limits.LaneRetention.Seconds(); got != want {
			t.Errorf("%s keeps messages %v s, want %v", queue, got, want)
		}
		if got := r.Properties["MaximumMessageSize"]; got != float64(limits.BatchBytes) {
			t.Errorf("%s accepts messages of up to %v bytes", queue, got)
		}
		if !slices.ContainsFunc(tpl.statements(t), func(s statement) bool {
			return s.effect == "Deny" && len(s.resources) == 1 && id(s.resources[0]) == queue && get(s.principal, "AWS") == "*" &&
				slices.Equal(s.actions, []string{"sqs:*"}) && cmp.Equal(s.conditions, object{"Bool": object{"aws:SecureTransport": "false"}})
		}) {
			t.Errorf("%s accepts plain HTTP", queue)
		}
	}
	for _, name := range lane.Names() {
		_, r := tpl.one(t, "AWS::SQS::Queue", "Lanes", string(name))
		dead, deadQueue := tpl.one(t, "AWS::SQS::Queue", "Lanes", string(name.DeadLetters()))
		if got := id(get(r.Properties, "RedrivePolicy", "deadLetterTargetArn")); got != dead {
			t.Errorf("dead letters of %s go to %q", name, got)
		}
		if got := get(r.Properties, "RedrivePolicy", "maxReceiveCount"); got != float64(limits.MaxReceiveCount) {
			t.Errorf("%s gives up after %v", name, got)
		}
		if deadQueue.Properties["RedrivePolicy"] != nil {
			t.Errorf("%s passes dead letters on", dead)
		}
	}
}

func TestLanesAreConsumed(t *testing.T) {
	tpl := of(t, plain)
	want := map[string]routes.Function{}
	for name, f := range map[lane.Name]routes.Function{lane.Events: routes.Fanout, lane.Deliveries: routes.Sender, lane.Retries: routes.Sender} {
		queue, _ := tpl.one(t, "AWS::SQS::Queue", "Lanes", string(name))
		want[queue] = f
	}
	concurrency := map[string]float64{}
	for source, r := range tpl.each(t, "AWS::Lambda::EventSourceMapping") {
		queue := id(r.Properties["EventSourceArn"])
		f, known := want[queue]
		if !known {
			t.Errorf("%s consumes %s, which is a dead-letter queue or has another consumer", source, queue)
			continue
		}
		delete(want, queue)
		function, made := tpl.function(t, f)
		if got := id(r.Properties["FunctionName"]); got != function {
			t.Errorf("%s is consumed by %s, want %s", queue, got, function)
		}
		if got := r.Properties["FunctionResponseTypes"]; !cmp.Equal(got, []any{"ReportBatchItemFailures"}) {
			t.Errorf("%s answers %v", source, got)
		}
		if got := r.Properties["BatchSize"]; got != float64(limits.BatchSize) {
			t.Errorf("%s takes %v at once", source, got)
		}
		concurrency[queue], _ = get(r.Properties, "ScalingConfig", "MaximumConcurrency").(float64)
		if c := concurrency[queue]; c < 2 || c > 1000 {
			t.Errorf("%s works %v at once", source, c)
		}
		visibility, _ := tpl.Resources[queue].Properties["VisibilityTimeout"].(float64)
		timeout, _ := made.Properties["Timeout"].(float64)
		if timeout == 0 || visibility < 6*timeout {
			t.Errorf("%s hides messages %v s, its function may take %v s", queue, visibility, timeout)
		}
		if made.Properties["ReservedConcurrentExecutions"] != nil {
			t.Errorf("the concurrency of %s is reserved: throttling it would kill good messages", function)
		}
	}
	for queue := range want {
		t.Errorf("no function consumes %s", queue)
	}
}

func TestFunctions(t *testing.T) {
	tpl := of(t, plain)
	if got, want := len(tpl.each(t, "AWS::Lambda::Function")), len(routes.Functions()); got != want {
		t.Errorf("got %d functions, want %d", got, want)
	}
	for _, f := range routes.Functions() {
		_, r := tpl.function(t, f)
		got := object{
			"runtime": r.Properties["Runtime"], "handler": r.Properties["Handler"], "architectures": r.Properties["Architectures"],
			"log format": get(r.Properties, "LoggingConfig", "LogFormat"),
		}
		want := object{"runtime": "provided.al2023", "handler": "bootstrap", "architectures": []any{"arm64"}, "log format": "JSON"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", f, diff)
		}
		log, _ := tpl.one(t, "AWS::Logs::LogGroup", "Functions", string(f))
		if got := id(get(r.Properties, "LoggingConfig", "LogGroup")); got != log {
			t.Errorf("%s logs to %s", f, got)
		}
		if timeout := r.Properties["Timeout"].(float64); slices.Contains(routes.HTTP(), f) && (timeout <= limits.APITimeout.Seconds() || timeout >= 29) {
			t.Errorf("%s may take %v s; the gateway gives up after 29 s", f, timeout)
		}
	}
	_, sender := tpl.function(t, routes.Sender)
	if sender.Properties["RecursiveLoop"] != "Allow" {
		t.Error("Lambda would take the sender, which sends doorbells to itself, for a runaway loop and stop it")
	}
	for log, r := range tpl.each(t, "AWS::Logs::LogGroup") {
		if r.Properties["RetentionInDays"] == nil {
			t.Errorf("%s is kept for ever", log)
		}
	}
}

func TestOnlyTheAPIReservesConcurrency(t *testing.T) {
	tpl := of(t, full)
	for _, f := range routes.Functions() {
		_, r := tpl.function(t, f)
		var want any
		if slices.Contains(routes.HTTP(), f) {
			want = 20.0
		}
		if got := r.Properties["ReservedConcurrentExecutions"]; got != want {
			t.Errorf("%s: got %v, want %v", f, got, want)
		}
	}
}

// A template does not have the final value of a variable. The test checks that the variable refers to the right
// resource.
func TestEnvironmentsAreComplete(t *testing.T) {
	tpl := of(t, full)
	read := map[routes.Function][]string{
		routes.Settings: variables[config.Settings](), routes.Webhooks: variables[config.Webhooks](),
		routes.OAuth: variables[config.OAuth](), routes.Console: variables[config.Console](),
		routes.Fanout: variables[config.Fanout](), routes.Sender: variables[config.Sender](), routes.Sweeper: variables[config.Sweeper](),
	}
	referred := map[string]string{
		"CONFIG_TABLE": "Tablesconfig", "EVENTS_TABLE": "Tablesevents", "DELIVERIES_TABLE": "Tablesdeliveries", "STATE_TABLE": "Tablesstate",
		"EVENTS_QUEUE_URL": "Lanesevents", "DELIVERIES_QUEUE_URL": "Lanesdeliveries", "RETRIES_QUEUE_URL": "Lanesretries",
		"EVENTS_DEAD_LETTERS_URL": "Laneseventsdead", "KEY_ARN": "SecretsKey",
		"CURSOR_KEY_SECRET_ARN": "SecretsCursorKey", "ADMINISTRATOR_SECRET_ARN": "SecretsAdministrator",
	}
	literal := map[string]string{
		"STAGE": "prod", "ISSUER": "https://hooks.example.com", "REQUESTS_PER_SECOND": "7", "RETENTION_DAYS": "90", "ALLOW_HTTP": "true",
	}
	for f, want := range read {
		_, r := tpl.function(t, f)
		set, _ := get(r.Properties, "Environment", "Variables").(object)
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(maps.Keys(set))); diff != "" {
			t.Errorf("%s: %s", f, diff)
		}
		for name, value := range set {
			if got := hash.ReplaceAllString(id(value), ""); got != referred[name] {
				t.Errorf("%s: %s refers to %q, want %q", f, name, got, referred[name])
			}
			if got, _ := value.(string); got != literal[name] {
				t.Errorf("%s: %s is %q, want %q", f, name, got, literal[name])
			}
		}
	}
}

// variables returns the names of the variables from which a function's struct is read.
func variables[T any]() (names []string) {
	_, err := config.Load[T](func(name string) (string, bool) { names = append(names, name); return "", false })
	if err == nil {
		panic("nothing is read")
	}
	return names
}

func TestOnlyConfigReadsTheEnvironment(t *testing.T) {
	reads := regexp.MustCompile(`\bos\.(Getenv|LookupEnv|Environ|ExpandEnv)\b`)
	for _, root := range []string{"../shared", "../functions", "../events", "../web"} {
		err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				strings.HasPrefix(path, "../shared/config/") || strings.HasPrefix(path, "../shared/awstest/") || strings.Contains(path, "/example") {
				return err
			}
			text, err := os.ReadFile(path)
			if reads.Match(text) {
				t.Errorf("%s reads the environment by itself", path)
			}
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
	}
}

func TestOnlyOwnersUseKeys(t *testing.T) {
	tpl := of(t, full)
	may := map[string][]string{} // action and purpose → functions
	for _, s := range tpl.statements(t) {
		for _, action := range s.actions {
			if !strings.HasPrefix(action, "kms:") || strings.HasPrefix(s.holder, "SecretsKey") {
				continue
			}
			purpose, _ := get(s.conditions, "StringEqualsIfExists", "kms:EncryptionContext:purpose").(string)
			if purpose == "" {
				t.Errorf("%s: %s without a purpose", s.holder, action)
			}
			may[action+" "+purpose] = append(may[action+" "+purpose], s.holder)
		}
	}
	want := map[string][]routes.Function{
		"kms:Decrypt " + keypair.WebhookSecrets:                             {routes.Sender},
		"kms:Decrypt " + keypair.TokenSigning:                               {routes.OAuth},
		"kms:GenerateDataKeyPairWithoutPlaintext " + keypair.WebhookSecrets: {routes.Console, routes.Webhooks},
		"kms:GenerateDataKeyPairWithoutPlaintext " + keypair.TokenSigning:   {routes.OAuth},
	}
	for what, holders := range may {
		slices.Sort(holders)
		if !slices.EqualFunc(holders, want[what], func(holder string, f routes.Function) bool { return called(holder, "Functions", string(f)) }) {
			t.Errorf("%s: %v, want %v", what, holders, want[what])
		}
		delete(want, what)
	}
	for what := range want {
		t.Errorf("no function may %s", what)
	}
}

func TestOnlyOwnersReadSecrets(t *testing.T) {
	tpl := of(t, full)
	want := map[string][]routes.Function{
		"SecretsAdministrator": {routes.Console, routes.OAuth},
		"SecretsCursorKey":     {routes.Console, routes.Webhooks},
	}
	may := map[string][]string{}
	for _, s := range tpl.statements(t) {
		for _, r := range s.resources {
			if secret := hash.ReplaceAllString(id(r), ""); want[secret] != nil {
				may[secret] = append(may[secret], s.holder)
			}
		}
	}
	for secret, functions := range want {
		slices.Sort(may[secret])
		if !slices.EqualFunc(may[secret], functions, func(holder string, f routes.Function) bool { return called(holder, "Functions", string(f)) }) {
			t.Errorf("%s: %v, want %v", secret, may[secret], functions)
		}
	}
}

// Only these policies may have wildcards: the key's own policy, whose resource is the key itself and whose holder is the
// account; denials; and the policy for network interfaces, which have no names before they are created.
func TestGrantsHaveNoWildcards(t *testing.T) {
	for name, make := range map[string]func() (*template, error){"plain": plain, "full": full} {
		t.Run(name, func(t *testing.T) {
			for _, s := range of(t, make).statements(t) {
				if s.effect == "Deny" || strings.HasPrefix(s.holder, "SecretsKey") {
					continue
				}
				network := s.of(routes.Sender) && !slices.ContainsFunc(s.actions, func(a string) bool { return !strings.HasPrefix(a, "ec2:") })
				for _, r := range s.resources {
					if strings.Contains(fmt.Sprint(r), "*") && !network {
						t.Errorf("%s: %v on %v", s.holder, s.actions, r)
					}
				}
				for _, a := range s.actions {
					if strings.Contains(a, "*") {
						t.Errorf("%s: %s", s.holder, a)
					}
				}
			}
		})
	}
}

func TestOnlyNamedAccountsMayPush(t *testing.T) {
	for name, c := range map[string]struct {
		make func() (*template, error)
		want []string
	}{"plain": {plain, nil}, "full": {full, []string{"111111111111", "222222222222"}}} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range of(t, c.make).statements(t) {
				if s.effect != "Allow" || !strings.HasPrefix(s.holder, "Lanes") {
					continue
				}
				if len(s.resources) != 1 || hash.ReplaceAllString(id(s.resources[0]), "") != "Lanesevents" {
					t.Errorf("%v may %v", s.principal, s.actions)
				}
				account := regexp.MustCompile(`[0-9]{12}`).FindString(fmt.Sprint(s.principal))
				got = append(got, account)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestAlarms(t *testing.T) {
	tpl := of(t, full)
	watched := map[string]bool{}
	for name, r := range tpl.each(t, "AWS::CloudWatch::Alarm") {
		for _, action := range []string{"AlarmActions", "OKActions"} {
			if got := list(r.Properties[action]); len(got) != 1 || !strings.HasPrefix(id(got[0]), "AlarmsTopic") {
				t.Errorf("%s: %s are %v", name, action, got)
			}
		}
		for _, dimension := range list(r.Properties["Dimensions"]) {
			watched[fmt.Sprint(r.Properties["MetricName"], " ", id(get(dimension, "Value")), hash.ReplaceAllString(fmt.Sprint(get(dimension, "Value", "Fn::GetAtt")), ""))] = true
			watched[fmt.Sprint(r.Properties["MetricName"], " ", id(get(dimension, "Value")))] = true
		}
	}
	for _, name := range lane.Names() {
		queue, _ := tpl.one(t, "AWS::SQS::Queue", "Lanes", string(name))
		dead, _ := tpl.one(t, "AWS::SQS::Queue", "Lanes", string(name.DeadLetters()))
		for _, want := range []string{"ApproximateAgeOfOldestMessage " + queue, "ApproximateNumberOfMessagesVisible " + dead} {
			if !watched[want] {
				t.Errorf("there is no alarm for %s", want)
			}
		}
	}
	for _, f := range routes.Functions() {
		if function, _ := tpl.function(t, f); !watched["Errors "+function] {
			t.Errorf("there is no alarm for errors of %s", f)
		}
	}
	for _, r := range tpl.each(t, "AWS::SNS::Subscription") {
		if r.Properties["Protocol"] != "email" || r.Properties["Endpoint"] != "ops@example.com" {
			t.Errorf("got %v", r.Properties)
		}
	}
}

func TestTheSweeperRunsEveryMinute(t *testing.T) {
	tpl := of(t, plain)
	sweeper, _ := tpl.function(t, routes.Sweeper)
	for name, r := range tpl.each(t, "AWS::Events::Rule") {
		if r.Properties["ScheduleExpression"] != "rate(1 minute)" || r.Properties["State"] != "ENABLED" {
			t.Errorf("%s has the schedule %v and the state %v", name, r.Properties["ScheduleExpression"], r.Properties["State"])
		}
		if targets := list(r.Properties["Targets"]); len(targets) != 1 || id(get(targets[0], "Arn")) != sweeper {
			t.Errorf("%s calls %v", name, targets)
		}
	}
}

func TestSecretsAreGenerated(t *testing.T) {
	_, administrator := of(t, plain).one(t, "AWS::SecretsManager::Secret", "Secrets", "Administrator")
	got := administrator.Properties["GenerateSecretString"]
	if get(got, "SecretStringTemplate") != `{"client_id":"administrator"}` || get(got, "GenerateStringKey") != "client_secret" {
		t.Errorf("got %v", got)
	}
	for name, r := range of(t, plain).each(t, "AWS::SecretsManager::Secret") {
		excluded, _ := get(r.Properties, "GenerateSecretString", "ExcludeCharacters").(string)
		for c := rune(' '); c <= '~'; c++ {
			letter := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
			if strings.ContainsRune(excluded, c) == letter {
				t.Errorf("%s: %q is excluded and should not be, or the reverse", name, c)
			}
		}
		if length, _ := get(r.Properties, "GenerateSecretString", "PasswordLength").(float64); length < 43 {
			t.Errorf("%s has %v characters of 62: less than 256 bits", name, length)
		}
	}
}

func TestOutputs(t *testing.T) {
	common := []string{"AdministratorSecretArn", "ApiId", "ApiUrl", "EventsQueueArn", "EventsQueueUrl", "Stage"}
	for name, c := range map[string]struct {
		make func() (*template, error)
		more []string
	}{"plain": {plain, nil}, "full": {full, []string{"DomainTarget", "EgressAddress"}}} {
		if diff := cmp.Diff(slices.Sorted(slices.Values(append(slices.Clone(common), c.more...))), slices.Sorted(maps.Keys(of(t, c.make).Outputs))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := of(t, full).Outputs["ApiUrl"]["Value"]; got != "https://hooks.example.com" {
		t.Errorf("the public URL is %v", got)
	}
	if got := fmt.Sprint(of(t, plain).Outputs["ApiUrl"]["Value"]); !strings.HasSuffix(got, "/dev]]]") || !strings.Contains(got, "https://") {
		t.Errorf("the URL is %v", got)
	}
}

// The template for an emulator must be the template for the cloud, except for the binaries.
func TestTheEmulatorsTemplateIsTheSame(t *testing.T) {
	digest := regexp.MustCompile(`[0-9a-f]{64}`)
	release, local := of(t, plain).text, of(t, emulator).text
	if release == local {
		t.Error("the binaries are the same too")
	}
	if diff := cmp.Diff(digest.ReplaceAllString(release, ""), digest.ReplaceAllString(local, "")); diff != "" {
		t.Error(diff)
	}
}

func TestTheSenderHasAFixedAddress(t *testing.T) {
	tpl := of(t, full)
	for _, f := range routes.Functions() {
		_, r := tpl.function(t, f)
		if got, want := r.Properties["VpcConfig"] != nil, f == routes.Sender; got != want {
			t.Errorf("%s is in the network: %v", f, got)
		}
	}
	gateways := tpl.each(t, "AWS::EC2::NatGateway")
	for name, r := range gateways {
		if got := hash.ReplaceAllString(id(r.Properties["AllocationId"]), ""); got != "NetworkAddress" || len(gateways) != 1 {
			t.Errorf("%s has the address %s", name, got)
		}
	}
}
