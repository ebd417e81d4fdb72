package dynamo_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/awstest"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/store"
	"nepenthes/shared/storetest"
	"nepenthes/shared/tables"
)

func TestStore(t *testing.T) {
	cfg := local(t)
	storetest.Test(t, func(t *testing.T, now func() time.Time) store.Store {
		return open(t, cfg, now)
	})
}

// local returns the configuration for DynamoDB Local.
func local(t *testing.T) aws.Config {
	t.Helper()
	t.Setenv("AWS_ENDPOINT_URL", awstest.DynamoDB(t))
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	cfg, err := awsclient.Load(t.Context(), 16)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

var opened atomic.Int64

// newest returns the prefix of the tables that open created last.
func newest() string { return fmt.Sprintf("t%d-", opened.Load()) }

// open returns a store with new tables.
func open(t *testing.T, cfg aws.Config, now func() time.Time) *dynamo.Store {
	t.Helper()
	opened.Add(1)
	names := tables.Prefixed(newest())
	if err := dynamo.CreateTables(t.Context(), cfg, names); err != nil {
		t.Fatal(err)
	}
	return dynamo.New(dynamo.Config{AWS: cfg, Tables: names, Now: now})
}
