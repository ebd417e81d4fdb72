package awsclient

import (
	"context"
	"errors"
	"net"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

var (
	retryable = retry.IsErrorRetryables(retry.DefaultRetryables)
	throttle  = retry.IsErrorThrottles(retry.DefaultThrottles)
)

// unknownAction has the codes with which a service, or an emulator of it, answers an action that it does not have.
var unknownAction = map[string]bool{"InvalidAction": true, "UnknownOperationException": true, "NotImplemented": true}

// IsUnknownAction reports whether the service does not have the action that was called.
func IsUnknownAction(err error) bool {
	refusal, ok := errors.AsType[smithy.APIError](err)
	return ok && unknownAction[refusal.ErrorCode()]
}

// IsTemporary reports whether the error of a call may pass by itself, after the SDK has given up retrying: the service
// throttled the call or failed, the network failed, or the time was up. It reports false for a call that its caller
// cancelled, and for every error that an operator has to fix, such as a missing permission.
func IsTemporary(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	_, network := errors.AsType[net.Error](err)
	_, exhausted := errors.AsType[ratelimit.QuotaExceededError](err) // the SDK ran out of retries
	return network || exhausted || errors.Is(err, context.DeadlineExceeded) ||
		retryable.IsErrorRetryable(err) == aws.TrueTernary || throttle.IsErrorThrottle(err) == aws.TrueTernary
}
