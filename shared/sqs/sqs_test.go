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

// TestMain lets tests that mostly wait run in parallel.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "20")
	m.Run()
}

// parallel runs a test in parallel with others: in real time most of them only wait.
func parallel(t *testing.T, test func(t *testing.T)) {
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
	lanetest.Test(t, parallel, func(t *testing.T, o lanetest.Options) (consumer, deadLetters lane.Consumer) {
		name := fmt.Sprintf("lane-%d", opened.Add(1))
		for range 2 { // the second Create finds the queues of the first
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
