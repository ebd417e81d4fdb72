package awsclient

import (
	"context"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// addPlainBody cures a race between the SDK (smithy-go 1.28) and net/http, by which calls fail after the service
// has done the work: the retry then doubles a send or meets its own condition.
//
// The SDK closes the body of a request as soon as the headers of the answer are in. net/http may not be through
// with it: having written Content-Length bytes it asks once more, whether there are any left. Of a reader that
// has a WriteTo method, as the SDK's bodies have, it asks that, and a closed one answers io.EOF. To Read that
// means the end; to WriteTo it means that writing failed, and net/http closes the connection under the answer.
// A body that can only Read and Seek is immune.
func addPlainBody(stack *middleware.Stack) error {
	return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("PlainRequestBody", plainBody), middleware.Before)
}

func plainBody(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	out middleware.FinalizeOutput, metadata middleware.Metadata, err error,
) {
	if request, ok := in.Request.(*smithyhttp.Request); ok {
		if body, ok := request.GetStream().(io.ReadSeeker); ok {
			plain, err := request.SetStream(struct{ io.ReadSeeker }{body})
			if err != nil {
				return out, metadata, err
			}
			in.Request = plain
		}
	}
	return next.HandleFinalize(ctx, in)
}
