package dynamo_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// failure is what becomes of one request.
type failure func(send func(*http.Request) (*http.Response, error), request *http.Request) (*http.Response, error)

// wire stands between the store and DynamoDB. script says what becomes of the number-th request (the first is 0),
// which is for an operation; nil lets it pass.
type wire struct {
	inner  aws.HTTPClient
	mu     sync.Mutex
	sent   int
	script func(number int, operation string) failure
}

// through puts a wire before cfg's client.
func through(cfg aws.Config) (aws.Config, *wire) {
	w := &wire{inner: cfg.HTTPClient}
	cfg.HTTPClient = w
	return cfg, w
}

// begin counts anew, with another script.
func (w *wire) begin(script func(number int, operation string) failure) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent, w.script = 0, script
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

// Do implements aws.HTTPClient.
func (w *wire) Do(request *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	var fail failure
	if w.script != nil {
		fail = w.script(w.sent, operation)
	}
	w.sent++
	w.mu.Unlock()
	if fail == nil {
		return w.inner.Do(request)
	}
	return fail(w.inner.Do, request)
}

type send = func(*http.Request) (*http.Response, error)

// lost carries the request out and loses the answer.
func lost(send send, request *http.Request) (*http.Response, error) {
	answer, err := send(request)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return nil, syscall.ECONNRESET
}

// reset never reaches the service.
func reset(send, *http.Request) (*http.Response, error) { return nil, syscall.ECONNRESET }

func throttled(send, *http.Request) (*http.Response, error) {
	return answer(http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}`), nil
}

func broken(send, *http.Request) (*http.Response, error) {
	return answer(http.StatusInternalServerError, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"sorry"}`), nil
}

// conflicting is what a transaction is told when another holds one of its items.
func conflicting(send, *http.Request) (*http.Response, error) {
	return answer(http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",`+
		`"message":"Transaction cancelled","CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict","Message":"ongoing"}]}`), nil
}

// partial reads the first key of a batch and leaves the rest unprocessed.
func partial(send send, request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	var ask struct{ RequestItems map[string]map[string]any }
	if err := json.Unmarshal(body, &ask); err != nil {
		return nil, err
	}
	rest := map[string]any{}
	for table, asked := range ask.RequestItems {
		if keys := asked["Keys"].([]any); len(keys) > 1 {
			left := maps.Clone(asked)
			asked["Keys"], left["Keys"] = keys[:1], keys[1:]
			rest[table] = left
		}
	}
	part, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(part)), int64(len(part))
	got, err := send(request)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	var told map[string]any
	if err := json.NewDecoder(got.Body).Decode(&told); err != nil {
		return nil, err
	}
	told["UnprocessedKeys"] = rest
	whole, err := json.Marshal(told)
	return answer(got.StatusCode, string(whole)), err
}

func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(body)),
	}
}
