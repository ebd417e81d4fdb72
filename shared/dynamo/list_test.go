package dynamo_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"nepenthes/shared/id"
	"nepenthes/shared/store"
)

// TestAListThatMayLagCostsHalf checks which queries ask DynamoDB for consistent reads, which cost twice as much.
func TestAListThatMayLagCostsHalf(t *testing.T) {
	cfg, consistent := local(t), []bool{}
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Consistency", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
			middleware.InitializeOutput, middleware.Metadata, error,
		) {
			if query, is := in.Parameters.(*dynamodb.QueryInput); is {
				consistent = append(consistent, aws.ToBool(query.ConsistentRead))
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.After)
	})
	s := open(t, cfg, time.Now)
	for _, mayLag := range []bool{false, true} {
		_, err := s.Deliveries(t.Context(), store.Query{Webhook: id.New(id.Webhook, time.Now()), Limit: 10, MayLag: mayLag})
		must(t, err)
	}
	if want := []bool{true, false}; !slices.Equal(consistent, want) {
		t.Errorf("got consistent reads %v, want %v", consistent, want)
	}
}
