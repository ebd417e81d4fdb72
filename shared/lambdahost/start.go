package lambdahost

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"nepenthes/shared/instant"
	"nepenthes/shared/metrics"
)

// Logger returns a logger that writes to the log of the function. The LoggingConfig of the function sets the format and
// the lowest level. Each line has the id of the invocation. Package metrics turns lines about outcomes into metrics of
// the stage.
func Logger(stage string) *slog.Logger {
	return slog.New(metrics.Handler(instant.Handler(lambdacontext.NewLogHandler()), stage))
}

// StartHTTP serves requests from API Gateway for the life of the process.
func StartHTTP(h http.Handler, logger *slog.Logger) { start(HTTP(h, logger)) }

// StartQueue consumes messages from SQS for the life of the process.
func StartQueue(consume Consumer, logger *slog.Logger) { start(Queue(consume, logger)) }

// StartClock calls tick at each scheduled invocation for the life of the process.
func StartClock(tick func(context.Context) error) {
	start(func(ctx context.Context, _ json.RawMessage) error { return tick(ctx) })
}

// start handles invocations until Lambda ends the process.
func start(handler any) {
	limitMemory()
	lambda.Start(handler)
}
