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

// queue is a queue that takes and deletes what a test wants it to. It stands where the network begins, so that the
// real client and its retries are at work.
type queue struct {
	*testing.T
	// say is what the queue says about an entry, offered for the try-th time (1 is the first).
	say func(body string, try int) verdict
	// before is what becomes of the number-th request (1 is the first) before the queue sees it, or after: nil lets it pass.
	before func(number int) fate

	mu       sync.Mutex
	requests []request
	tries    map[string]int
	taken    []string
}

type verdict uint8

const (
	takes   verdict = iota
	busy            // not now, and not the sender's fault
	refuses         // never
	silent          // the answer does not mention the entry
)

type fate uint8

const (
	passes fate = iota
	lost        // carried out, but the answer is lost
	reset       // never arrives
	denied
)

type request struct {
	Entries []entry
	Bytes   int // of bodies and attributes
}

type entry struct {
	ID                string `json:"Id"`
	MessageBody       string
	ReceiptHandle     string
	DelaySeconds      int
	MessageGroupID    string `json:"MessageGroupId"`
	MessageAttributes map[string]struct{ DataType, StringValue string }
}

// lane is a lane on the queue.
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
	if q.before != nil {
		fate = q.before(len(q.requests))
	}
	switch fate {
	case reset:
		return nil, syscall.ECONNRESET
	case denied:
		return answer(http.StatusForbidden, map[string]any{"__type": "com.amazonaws.sqs#AccessDenied", "message": "no"}), nil
	}
	told := q.handle(asked.Entries)
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ReceiveMessage") {
		told = q.give()
	}
	if fate == lost {
		return nil, syscall.ECONNRESET
	}
	return answer(http.StatusOK, told), nil
}

// handle says something about each entry.
func (q *queue) handle(entries []entry) map[string]any {
	successful, failed := []any{}, []any{}
	for _, e := range entries {
		body := e.MessageBody + e.ReceiptHandle
		q.tries[body]++
		said := takes
		if q.say != nil {
			said = q.say(body, q.tries[body])
		}
		switch said {
		case takes:
			q.taken = append(q.taken, body)
			sum := md5.Sum([]byte(body))
			successful = append(successful, map[string]any{"Id": e.ID, "MessageId": "m", "MD5OfMessageBody": hex.EncodeToString(sum[:])})
		case busy, refuses:
			failed = append(failed, map[string]any{"Id": e.ID, "Code": "Code", "Message": "because", "SenderFault": said == refuses})
		}
	}
	return map[string]any{"Successful": successful, "Failed": failed}
}

// give gives ten messages, each with its own id and receipt.
func (q *queue) give() map[string]any {
	all := make([]any, 10)
	for i := range all {
		id := strconv.Itoa(i)
		sum := md5.Sum([]byte(id))
		all[i] = map[string]any{"MessageId": id, "ReceiptHandle": id, "Body": id, "MD5OfBody": hex.EncodeToString(sum[:])}
	}
	return map[string]any{"Messages": all}
}

func answer(status int, told any) *http.Response {
	body, _ := json.Marshal(told)
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(string(body))), ContentLength: int64(len(body)),
	}
}
