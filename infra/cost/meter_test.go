package cost_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"nepenthes/shared/lane"
)

// meter counts what AWS bills: capacity units as reported by DynamoDB, requests to SQS, and bytes of log.
type meter struct {
	mu            sync.Mutex
	reads, writes float64 // units
	sends         int     // requests
	logged        int     // bytes

	bells []lane.Message // messages that were sent, for the test to deliver
}

// reset sets the counts to zero.
func (m *meter) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads, m.writes, m.sends, m.logged, m.bells = 0, 0, 0, 0, nil
}

// Write counts log lines.
func (m *meter) Write(line []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.logged += len(line)
	return len(line), nil
}

// attach makes every request of DynamoDB clients with cfg report its capacity, and counts it.
func (m *meter) attach(cfg aws.Config) aws.Config {
	cfg.APIOptions = append(cfg.APIOptions[:len(cfg.APIOptions):len(cfg.APIOptions)], func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Meter", m.measure), middleware.After)
	})
	return cfg
}

func (m *meter) measure(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	out middleware.InitializeOutput, metadata middleware.Metadata, err error,
) {
	if report := reflect.ValueOf(in.Parameters).Elem().FieldByName("ReturnConsumedCapacity"); report.IsValid() {
		report.Set(reflect.ValueOf(types.ReturnConsumedCapacityTotal))
	}
	out, metadata, err = next.HandleInitialize(ctx, in)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch o := out.Result.(type) {
	case *dynamodb.GetItemOutput:
		m.reads += units(o.ConsumedCapacity)
	case *dynamodb.QueryOutput:
		m.reads += units(o.ConsumedCapacity)
	case *dynamodb.BatchGetItemOutput:
		for i := range o.ConsumedCapacity {
			m.reads += units(&o.ConsumedCapacity[i])
		}
	case *dynamodb.PutItemOutput:
		m.writes += units(o.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		m.writes += units(o.ConsumedCapacity)
	}
	return out, metadata, err
}

func units(c *types.ConsumedCapacity) float64 {
	if c == nil { // the request failed
		return 0
	}
	return aws.ToFloat64(c.CapacityUnits)
}

// queue is a queue that accepts everything, counts the requests and keeps the messages.
func (m *meter) queue(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var batch struct {
			Entries []struct {
				ID    string `json:"Id"`
				Body  string `json:"MessageBody"`
				Group string `json:"MessageGroupId"`
			}
		}
		text, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(text, &batch)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		type taken struct {
			ID        string `json:"Id"`
			MessageID string `json:"MessageId"`
		}
		answer := map[string][]taken{"Successful": {}, "Failed": {}}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sends++
		for _, e := range batch.Entries {
			m.bells = append(m.bells, lane.Message{ID: e.ID, Body: []byte(e.Body), Group: e.Group})
			answer["Successful"] = append(answer["Successful"], taken{e.ID, e.ID})
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
