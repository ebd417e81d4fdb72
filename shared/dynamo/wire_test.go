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

// failure is how the wire treats one request.
type failure func(send func(*http.Request) (*http.Response, error), request *http.Request) (*http.Response, error)

// wire stands between the store and DynamoDB. For each request, script gets the number, which starts at 0, and the
// operation. It returns how the request fails, or nil to let it pass.
type wire struct {
	inner  aws.HTTPClient
	mu     sync.Mutex
	sent   int
	script func(number int, operation string) failure
}

// through returns a copy of cfg with a wire in front of its client.
func through(cfg aws.Config) (aws.Config, *wire) {
	w := &wire{inner: cfg.HTTPClient}
	cfg.HTTPClient = w
	return cfg, w
}

// begin sets the script and starts counting at 0 again.
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

// lost carries out the request and loses the response.
func lost(send send, request *http.Request) (*http.Response, error) {
	answer, err := send(request)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return nil, syscall.ECONNRESET
}

// reset fails before the request reaches the service.
func reset(send, *http.Request) (*http.Response, error) { return nil, syscall.ECONNRESET }

// throttled and broken answer with errors of DynamoDB.
func throttled(send, *http.Request) (*http.Response, error) {
	return answer(http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}`), nil
}

func broken(send, *http.Request) (*http.Response, error) {
	return answer(http.StatusInternalServerError, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"sorry"}`), nil
}

// conflicting answers as DynamoDB does when another transaction holds an item of this one.
func conflicting(send, *http.Request) (*http.Response, error) {
	return answer(http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",`+
		`"message":"Transaction cancelled","CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict","Message":"ongoing"}]}`), nil
}

// partial lets the batch read its first key and leaves the other keys unprocessed.
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
	var read map[string]any
	if err := json.NewDecoder(got.Body).Decode(&read); err != nil {
		return nil, err
	}
	read["UnprocessedKeys"] = rest
	complete, err := json.Marshal(read)
	return answer(got.StatusCode, string(complete)), err
}

func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(body)),
	}
}
