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

// Logger writes to the function's log in the format and from the level that its LoggingConfig asks for, with the
// id of the invocation; lines that count are metrics of the stage (package metrics).
func Logger(stage string) *slog.Logger {
	return slog.New(metrics.Handler(instant.Handler(lambdacontext.NewLogHandler()), stage))
}

// StartHTTP serves the requests that API Gateway hands over, for the life of the process.
func StartHTTP(h http.Handler, logger *slog.Logger) { start(HTTP(h, logger)) }

// StartQueue consumes the messages that SQS hands over, for the life of the process.
func StartQueue(consume Consumer, logger *slog.Logger) { start(Queue(consume, logger)) }

// StartClock calls tick whenever the clock rings, for the life of the process.
func StartClock(tick func(context.Context) error) {
	start(func(ctx context.Context, _ json.RawMessage) error { return tick(ctx) })
}

func start(handler any) {
	limitMemory()
	lambda.Start(handler)
}
