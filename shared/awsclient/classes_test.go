package awsclient_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"nepenthes/shared/awsclient"
)

func answered(status int, err error) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err,
	}}
}

func code(name string) error { return &smithy.GenericAPIError{Code: name, Message: "a message"} }

func TestIsTemporary(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"no error":                      {nil, false},
		"a network error":               {&net.OpError{Op: "dial", Err: errors.New("refused")}, true},
		"the time is up":                {context.DeadlineExceeded, true},
		"the caller cancelled":          {context.Canceled, false},
		"cancelled on the network":      {fmt.Errorf("%w: %w", context.Canceled, &net.OpError{Op: "read", Err: errors.New("closed")}), false},
		"no retries are left":           {ratelimit.QuotaExceededError{Available: 0, Requested: 5}, true},
		"throttled by DynamoDB":         {code("ProvisionedThroughputExceededException"), true},
		"throttled by SQS":              {code("RequestThrottled"), true},
		"throttled by any service":      {code("ThrottlingException"), true},
		"the service failed":            {answered(503, code("ServiceUnavailable")), true},
		"the service failed internally": {answered(500, code("InternalServerError")), true},
		"a permission is missing":       {answered(400, code("AccessDeniedException")), false},
		"the request is malformed":      {answered(400, code("ValidationException")), false},
		"the resource does not exist":   {answered(400, code("ResourceNotFoundException")), false},
		"an error of our own":           {errors.New("encode the item"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := awsclient.IsTemporary(c.err); got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
			if c.err == nil {
				return
			}
			if got := awsclient.IsTemporary(fmt.Errorf("read an item: %w", c.err)); got != c.want {
				t.Errorf("wrapped: got %t, want %t", got, c.want)
			}
		})
	}
}

func TestIsUnknownAction(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"no error":                   {nil, false},
		"unknown to SQS":             {answered(400, code("InvalidAction")), true},
		"unknown to a JSON service":  {code("UnknownOperationException"), true},
		"an emulator does not do it": {fmt.Errorf("move messages: %w", answered(501, code("NotImplemented"))), true},
		"a permission is missing":    {code("AccessDeniedException"), false},
		"a network error":            {&net.OpError{Op: "dial", Err: errors.New("refused")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := awsclient.IsUnknownAction(c.err); got != c.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
