package awsclient

import (
	"context"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// addPlainBody works around a race between the SDK (smithy-go 1.28) and net/http. In that race a call fails after the
// service has done the work. The retry then sends twice, or its condition no longer holds.
//
// The SDK closes the body of a request as soon as it has the headers of the response. net/http may still be reading the
// body: after Content-Length bytes it reads once more, to see whether there are any left. If the body has a WriteTo
// method, as the bodies of the SDK do, net/http calls that, and a closed body returns io.EOF. From Read, io.EOF means
// the end of the body. From WriteTo it means that writing failed, so net/http closes the connection before the response
// is read. A body with only Read and Seek does not have this problem.
func addPlainBody(stack *middleware.Stack) error {
	return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("PlainRequestBody", plainBody), middleware.Before)
}

// plainBody hides all methods of the body but Read and Seek.
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
