package sqs_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/awstest"
	"nepenthes/shared/lane"
	"nepenthes/shared/sqs"
)

// endpoint is the configuration for clients of a service at the URL.
func endpoint(t *testing.T, url string) aws.Config {
	t.Helper()
	cfg, err := awsclient.Load(t.Context(), 16)
	if err != nil {
		t.Fatal(err)
	}
	cfg.BaseEndpoint, cfg.Region = aws.String(url), "us-east-1"
	cfg.Credentials = credentials.NewStaticCredentialsProvider("test", "test", "")
	return cfg
}

// cloud answers as SQS does: each action with the next of its answers.
func cloud(t *testing.T, answers map[string][]string) (cfg aws.Config, asked func() []string) {
	t.Helper()
	var requests []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		var input map[string]any
		_ = json.NewDecoder(r.Body).Decode(&input)
		text, _ := json.Marshal(input)
		requests = append(requests, action+" "+string(text))
		answer := `{"Attributes":{"QueueArn":"arn:` + lastSegment(input["QueueUrl"]) + `"}}`
		if list := answers[action]; len(list) > 0 {
			answer, answers[action] = list[0], list[1:]
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	return endpoint(t, server.URL), func() []string { return requests }
}

func lastSegment(url any) string {
	text, _ := url.(string)
	return text[strings.LastIndex(text, "/")+1:]
}

func TestRedriveNamesTheDestination(t *testing.T) {
	cfg, asked := cloud(t, map[string][]string{
		"StartMessageMoveTask": {`{"TaskHandle":"h"}`},
		"ListMessageMoveTasks": {
			`{"Results":[{"Status":"RUNNING","ApproximateNumberOfMessagesMoved":1}]}`,
			`{"Results":[{"Status":"COMPLETED","ApproximateNumberOfMessagesMoved":7}]}`,
		},
	})
	moved, err := sqs.Redrive(t.Context(), sqs.New(cfg, "https://sqs/1/dead"), sqs.New(cfg, "https://sqs/1/events"))
	if err != nil || moved != 7 {
		t.Errorf("moved %d, %v, want 7", moved, err)
	}
	want := `StartMessageMoveTask {"DestinationArn":"arn:events","SourceArn":"arn:dead"}`
	if got := strings.Join(asked(), "\n"); !strings.Contains(got, want) {
		t.Errorf("asked\n%s\nwant %s", got, want)
	}
}

func TestRedriveTellsHowItFailed(t *testing.T) {
	cfg, _ := cloud(t, map[string][]string{
		"StartMessageMoveTask": {`{"TaskHandle":"h"}`},
		"ListMessageMoveTasks": {`{"Results":[{"Status":"FAILED","FailureReason":"AccessDenied"}]}`},
	})
	_, err := sqs.Redrive(t.Context(), sqs.New(cfg, "https://sqs/1/dead"), sqs.New(cfg, "https://sqs/1/events"))
	if err == nil || !strings.Contains(err.Error(), "FAILED: AccessDenied") {
		t.Errorf("got %v", err)
	}
}

func TestRedriveWhereNothingCanBeMoved(t *testing.T) {
	t.Parallel()
	cfg := endpoint(t, awstest.MiniStack(t))
	events, dead, err := sqs.Create(t.Context(), cfg, "redrive", "redrive-dead", sqs.Options{Visibility: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	attributes := map[string]string{lane.Reason: "invalid", lane.Detail: "no type", lane.Truncated: "true", lane.Traceparent: "00-1"}
	if err := dead.Send(t.Context(), lane.Message{Body: []byte("first"), Group: "wh_1", Attributes: attributes}); err != nil {
		t.Fatal(err)
	}
	moved, err := sqs.Redrive(t.Context(), dead, events)
	if err != nil || moved != 1 {
		t.Fatalf("moved %d, %v, want 1", moved, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got, err := events.Receive(ctx, 10)
	if err != nil || len(got) != 1 {
		t.Fatalf("received %d messages, %v", len(got), err)
	}
	m := got[0]
	if string(m.Body) != "first" || m.Group != "wh_1" {
		t.Errorf("got %q of group %q", m.Body, m.Group)
	}
	if diff := cmp.Diff(map[string]string{lane.Traceparent: "00-1"}, m.Attributes); diff != "" {
		t.Errorf("why it was a dead letter is not true of it any more: %s", diff)
	}
	if moved, err := sqs.Redrive(t.Context(), dead, events); err != nil || moved != 0 {
		t.Errorf("moved %d again, %v", moved, err)
	}
}
