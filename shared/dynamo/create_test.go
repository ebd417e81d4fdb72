package dynamo_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/delivery"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/tables"
)

// TestCreateTablesAddsIndexes opens a table that was created before there was an index of held deliveries.
func TestCreateTablesAddsIndexes(t *testing.T) {
	cfg := local(t)
	s := open(t, cfg, time.Now)
	client, names := dynamodb.NewFromConfig(cfg), tables.Prefixed(newest())
	_, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: &names.Deliveries,
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{
			{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String(tables.Held.Name)}},
		},
	})
	must(t, err)
	for range 2 { // the second time, there is nothing to add
		must(t, dynamo.CreateTables(t.Context(), cfg, names))
	}
	recorded := event(t, 1200)
	d := recorded.Delivery(storedWebhook.ID)
	must(t, d.Hold(delivery.Paused, time.Now()))
	d, _, err = s.PutDelivery(t.Context(), d, nil)
	must(t, err)
	held, _, err := s.Held(t.Context(), d.Webhook, delivery.Key{}, 10)
	is(t, "the held deliveries", []delivery.Delivery{d})(held, err)
}
