package sqs_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/sqs"
)

// queue is a queue that takes and deletes messages as a test wants. It replaces the network, so the real client and its
// retries run.
type queue struct {
	*testing.T
	// verdict returns what the queue does with an entry that it gets for the try-th time, beginning with 1.
	verdict func(body string, try int) verdict
	// fate returns what happens to the number-th request, beginning with 1. nil lets every request pass.
	fate func(number int) fate

	mu       sync.Mutex
	requests []request
	tries    map[string]int
	taken    []string
}

// verdict is what the queue does with an entry.
type verdict uint8

const (
	takes   verdict = iota
	busy            // fails, but not because of the sender
	refuses         // fails because of the sender
	silent          // the response does not mention the entry
)

// fate is what happens to a request.
type fate uint8

const (
	passes fate = iota
	lost        // carried out, but the response is lost
	reset       // fails before it arrives
	denied
)

type request struct {
	Entries []entry
	Bytes   int // size of bodies and attributes
}

type entry struct {
	ID                string `json:"Id"`
	MessageBody       string
	ReceiptHandle     string
	DelaySeconds      int
	MessageGroupID    string `json:"MessageGroupId"`
	MessageAttributes map[string]struct{ DataType, StringValue string }
}

// lane returns a lane on the queue.
func (q *queue) lane() *sqs.Lane {
	cfg, err := awsclient.Load(q.Context(), 16)
	if err != nil {
		q.Fatal(err)
	}
	cfg.Region, cfg.HTTPClient, q.tries = "us-east-1", q, map[string]int{}
	cfg.Credentials = credentials.NewStaticCredentialsProvider("test", "test", "")
	cfg.BaseEndpoint = aws.String("http://sqs.test")
	return sqs.New(cfg, "http://sqs.test/1/queue")
}

// Do implements aws.HTTPClient.
func (q *queue) Do(r *http.Request) (*http.Response, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var asked request
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		q.Errorf("request: %v", err)
	}
	for _, e := range asked.Entries {
		asked.Bytes += len(e.MessageBody)
		for name, a := range e.MessageAttributes {
			asked.Bytes += len(name) + len(a.DataType) + len(a.StringValue)
		}
	}
	q.requests = append(q.requests, asked)
	fate := passes
	if q.fate != nil {
		fate = q.fate(len(q.requests))
	}
	switch fate {
	case reset:
		return nil, syscall.ECONNRESET
	case denied:
		return answer(http.StatusForbidden, map[string]any{"__type": "com.amazonaws.sqs#AccessDenied", "message": "no"}), nil
	}
	output := q.handle(asked.Entries)
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ReceiveMessage") {
		output = q.give()
	}
	if fate == lost {
		return nil, syscall.ECONNRESET
	}
	return answer(http.StatusOK, output), nil
}

// handle returns the response to a send or a delete.
func (q *queue) handle(entries []entry) map[string]any {
	successful, failed := []any{}, []any{}
	for _, e := range entries {
		body := e.MessageBody + e.ReceiptHandle
		q.tries[body]++
		v := takes
		if q.verdict != nil {
			v = q.verdict(body, q.tries[body])
		}
		switch v {
		case takes:
			q.taken = append(q.taken, body)
			sum := md5.Sum([]byte(body))
			successful = append(successful, map[string]any{"Id": e.ID, "MessageId": "m", "MD5OfMessageBody": hex.EncodeToString(sum[:])})
		case busy, refuses:
			failed = append(failed, map[string]any{"Id": e.ID, "Code": "Code", "Message": "because", "SenderFault": v == refuses})
		}
	}
	return map[string]any{"Successful": successful, "Failed": failed}
}

// give returns the response to a receive: ten messages, each with its own id and receipt handle.
func (q *queue) give() map[string]any {
	all := make([]any, 10)
	for i := range all {
		id := strconv.Itoa(i)
		sum := md5.Sum([]byte(id))
		all[i] = map[string]any{"MessageId": id, "ReceiptHandle": id, "Body": id, "MD5OfBody": hex.EncodeToString(sum[:])}
	}
	return map[string]any{"Messages": all}
}

func answer(status int, output any) *http.Response {
	body, _ := json.Marshal(output)
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(string(body))), ContentLength: int64(len(body)),
	}
}
