package sqs_test

import (
	"flag"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/awstest"
	"nepenthes/shared/lane"
	"nepenthes/shared/lanetest"
	"nepenthes/shared/sqs"
)

// TestMain lets the tests that wait, and do nothing else, wait at the same time.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "20")
	m.Run()
}

// atOnce runs the tests side by side: in real time most of them do nothing but wait.
func atOnce(t *testing.T, test func(t *testing.T)) {
	t.Parallel()
	test(t)
}

func TestLane(t *testing.T) {
	cfg, err := awsclient.Load(t.Context(), 16)
	if err != nil {
		t.Fatal(err)
	}
	cfg.BaseEndpoint, cfg.Region = aws.String(awstest.MiniStack(t)), "us-east-1"
	cfg.Credentials = credentials.NewStaticCredentialsProvider("test", "test", "")
	var opened atomic.Int64
	lanetest.Test(t, atOnce, func(t *testing.T, o lanetest.Options) (consumer, deadLetters lane.Consumer) {
		name := fmt.Sprintf("lane-%d", opened.Add(1))
		for range 2 { // what is there already stays
			made, dead, err := sqs.Create(t.Context(), cfg, name, name+"-dead",
				sqs.Options{Visibility: o.Visibility, MaxReceiveCount: o.MaxReceiveCount})
			if err != nil {
				t.Fatal(err)
			}
			consumer, deadLetters = made, dead
		}
		return consumer, deadLetters
	})
}
