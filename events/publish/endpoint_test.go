package publish_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"nepenthes/events"
)

// endpoint is a fake SQS. It implements the part of the JSON protocol that a producer uses, enforces the limits of SQS, and
// fails as a test requires.
type endpoint struct {
	*testing.T
	// refuse returns the failure that SQS reports for an event, or nil if SQS accepts the event.
	refuse func(id string) *failure
	// denied makes every request fail with AccessDenied.
	denied bool

	mu       sync.Mutex
	accepted []events.Event
	requests [][]string // the ids of the events in each request
}

type failure struct {
	Code, Message string
	SenderFault   bool
	silent        bool // the response does not mention the event
}

type entry struct {
	ID               string `json:"Id"`
	MessageBody      string `json:",omitempty"`
	MessageID        string `json:"MessageId,omitempty"`
	MD5OfMessageBody string `json:",omitempty"`
	Code             string `json:",omitempty"`
	Message          string `json:",omitempty"`
	SenderFault      bool   `json:",omitempty"`
}

// client returns a client of the SDK for the endpoint. The client does not retry requests, so that a test sees each of them.
func (e *endpoint) client() *sqs.Client {
	server := httptest.NewServer(e)
	e.Cleanup(server.Close)
	return sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var request struct {
		QueueURL string `json:"QueueUrl"`
		Entries  []entry
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		e.Errorf("request: %v", err)
	}
	if target := r.Header.Get("X-Amz-Target"); target != "AmazonSQS.SendMessageBatch" || request.QueueURL != queueURL {
		e.Errorf("%s to %s", target, request.QueueURL)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if code := e.requestError(request.Entries); code != "" {
		w.WriteHeader(http.StatusBadRequest)
		e.answer(w, map[string]string{"__type": "com.amazonaws.sqs#" + code, "message": code})
		return
	}
	e.answer(w, e.take(request.Entries))
}

func (e *endpoint) answer(w http.ResponseWriter, body any) {
	if err := json.NewEncoder(w).Encode(body); err != nil {
		e.Errorf("answer: %v", err)
	}
}

// requestError returns the code of the error with which SQS refuses the whole request, or "".
func (e *endpoint) requestError(entries []entry) string {
	if e.denied {
		return "AccessDenied"
	}
	size, ids := 0, map[string]bool{}
	for _, entry := range entries {
		size += len(entry.MessageBody)
		ids[entry.ID] = true
	}
	switch {
	case len(entries) == 0:
		return "EmptyBatchRequest"
	case len(entries) > 10:
		return "TooManyEntriesInBatchRequest"
	case size > 1048576:
		return "BatchRequestTooLong"
	case len(ids) < len(entries):
		return "BatchEntryIdsNotDistinct"
	}
	return ""
}

func (e *endpoint) take(entries []entry) (answer struct{ Successful, Failed []entry }) {
	var ids []string
	for _, sent := range entries {
		event, err := events.Decode([]byte(sent.MessageBody))
		if err != nil {
			e.Errorf("a message cannot be decoded: %v", err)
		}
		ids = append(ids, event.ID)
		var refused *failure
		if e.refuse != nil {
			refused = e.refuse(event.ID)
		}
		switch {
		case refused == nil:
			sum := md5.Sum([]byte(sent.MessageBody))
			e.accepted = append(e.accepted, event)
			answer.Successful = append(answer.Successful, entry{ID: sent.ID, MessageID: "m", MD5OfMessageBody: hex.EncodeToString(sum[:])})
		case !refused.silent:
			answer.Failed = append(answer.Failed, entry{ID: sent.ID, Code: refused.Code, Message: refused.Message, SenderFault: refused.SenderFault})
		}
	}
	e.requests = append(e.requests, ids)
	return answer
}
