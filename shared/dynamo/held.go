package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/tables"
)

// Held implements store.Held.
func (s *Store) Held(ctx context.Context, webhookID string, after delivery.Key, limit int) (
	held []delivery.Delivery, last delivery.Key, err error,
) {
	defer fault.Wrap(&err, "list the held deliveries of %s", webhookID)
	partition, err := packWebhookID(webhookID)
	if err != nil { // not the id of a webhook, so nothing is held
		return nil, last, nil
	}
	// The entry after the last one shows whether a place is left.
	keys, err := s.heldKeys(ctx, partition, after, limit+1)
	if err != nil {
		return nil, last, err
	}
	if len(keys) > limit {
		keys = keys[:limit]
		last = keys[limit-1]
	}
	// The index may still have rows that are not held any more or have expired.
	rows, err := s.DeliveriesByKey(ctx, keys...)
	for _, key := range keys {
		if d, ok := rows[key]; ok && d.State == delivery.Held {
			held = append(held, d)
		}
	}
	return held, last, err
}

// heldKeys reads up to n keys of the index of held deliveries, oldest first.
func (s *Store) heldKeys(ctx context.Context, partition []byte, after delivery.Key, n int) (keys []delivery.Key, err error) {
	input := s.heldQuery(partition)
	input.KeyConditionExpression = aws.String("hp = :hook AND s > :after")
	input.ExpressionAttributeValues[":after"] = blob(sortKey(after))
	stored, err := s.query(ctx, input, n)
	if err != nil {
		return nil, err
	}
	var found []entry
	if err := attributevalue.UnmarshalListOfMaps(stored, &found); err != nil {
		return nil, err
	}
	keys = make([]delivery.Key, len(found))
	for i, e := range found {
		if keys[i], err = keyOf(e.Partition, e.Sort); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// CountHeld implements store.Held. It reads the index only, which does not know which rows have expired.
func (s *Store) CountHeld(ctx context.Context, webhookID string, limit int) (count int, err error) {
	defer fault.Wrap(&err, "count the held deliveries of %s", webhookID)
	partition, err := packWebhookID(webhookID)
	if err != nil { // not the id of a webhook, so nothing is held
		return 0, nil
	}
	input := s.heldQuery(partition)
	input.Select, input.Limit = types.SelectCount, aws.Int32(int32(limit))
	for pages := dynamodb.NewQueryPaginator(s.client, input); pages.HasMorePages() && count < limit; {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, classify(err)
		}
		count += int(page.Count)
	}
	return min(count, limit), nil
}

// heldQuery returns the query for the held deliveries of a webhook.
func (s *Store) heldQuery(partition []byte) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName: &s.tables.Deliveries, IndexName: aws.String(tables.Held.Name),
		KeyConditionExpression: aws.String("hp = :hook"), ExpressionAttributeValues: item{":hook": blob(partition)},
	}
}
