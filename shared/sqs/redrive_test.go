package sqs_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/awstest"
	"nepenthes/shared/lane"
	"nepenthes/shared/sqs"
)

// endpoint returns the configuration for clients of the service at url.
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

// cloud answers as SQS does: to each action with the next of its answers. asked returns the requests.
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
		t.Errorf("got %d moved and error %v, want 7", moved, err)
	}
	want := `StartMessageMoveTask {"DestinationArn":"arn:events","SourceArn":"arn:dead"}`
	if got := strings.Join(asked(), "\n"); !strings.Contains(got, want) {
		t.Errorf("got requests\n%s\nwant %s", got, want)
	}
}

func TestRedriveReturnsTheReasonOfAFailure(t *testing.T) {
	cfg, _ := cloud(t, map[string][]string{
		"StartMessageMoveTask": {`{"TaskHandle":"h"}`},
		"ListMessageMoveTasks": {`{"Results":[{"Status":"FAILED","FailureReason":"AccessDenied"}]}`},
	})
	_, err := sqs.Redrive(t.Context(), sqs.New(cfg, "https://sqs/1/dead"), sqs.New(cfg, "https://sqs/1/events"))
	if err == nil || !strings.Contains(err.Error(), "FAILED: AccessDenied") {
		t.Errorf("got error %v, want one with the status and the reason", err)
	}
}

func TestRedriveAtAServiceThatCannotMove(t *testing.T) {
	t.Parallel()
	cfg := endpoint(t, awstest.MiniStack(t))
	events, dead, err := sqs.Create(t.Context(), cfg, "redrive", "redrive-dead", sqs.Options{Visibility: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqs.Redrive(t.Context(), dead, events); !errors.Is(err, sqs.ErrCannotMove) {
		t.Errorf("got %v, want %v", err, sqs.ErrCannotMove)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	cfg := endpoint(t, awstest.MiniStack(t))
	made, _, err := sqs.Create(t.Context(), cfg, "findable", "findable-dead", sqs.Options{Visibility: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Send(t.Context(), lane.Message{Body: []byte("here")}); err != nil {
		t.Fatal(err)
	}
	found, err := sqs.Find(t.Context(), cfg, "findable")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if got, err := found.Receive(ctx, 1); err != nil || string(got[0].Body) != "here" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := sqs.Find(t.Context(), cfg, "nowhere"); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v, want an error that names the queue", err)
	}
}
