package dynamo

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/tables"
)

// entry is an entry of an index: the key of a row and, if the index has a sort key of its own, that key.
type entry struct {
	Partition []byte  `dynamodbav:"p"`
	Sort      []byte  `dynamodbav:"s"`
	SweepAt   instant `dynamodbav:"ds"`
	DeadKey   []byte  `dynamodbav:"xs"`
}

// entries reads up to n entries from each shard of an index. ask returns the query for a shard.
func (s *Store) entries(ctx context.Context, n int, ask func(shard int) *dynamodb.QueryInput) ([]entry, error) {
	return gather(tables.IndexShards, func(shard int) ([]entry, error) {
		stored, err := s.query(ctx, ask(shard), n)
		if err != nil {
			return nil, err
		}
		var found []entry
		err = attributevalue.UnmarshalListOfMaps(stored, &found)
		return found, err
	})
}

// Due implements store.Deliveries.
func (s *Store) Due(ctx context.Context, until time.Time, limit int) (keys []delivery.Key, err error) {
	defer fault.Wrap(&err, "list due deliveries")
	// Each shard is asked for limit entries, because all of the earliest may be in one shard.
	found, err := s.entries(ctx, limit, func(shard int) *dynamodb.QueryInput {
		return &dynamodb.QueryInput{
			TableName: &s.tables.Deliveries, IndexName: aws.String(tables.Due.Name),
			KeyConditionExpression:    aws.String("dp = :shard AND ds <= :until"),
			ExpressionAttributeValues: item{":shard": number(int64(shard)), ":until": number(int64(instantOf(until)))},
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b entry) int { return cmp.Compare(a.SweepAt, b.SweepAt) })
	found = found[:min(limit, len(found))]
	for _, e := range found {
		key, err := keyOf(e.Partition, e.Sort)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	// The index does not know when a row expires, and it may be a little behind the rows.
	rows, err := s.DeliveriesByKey(ctx, keys...)
	return slices.DeleteFunc(keys, func(key delivery.Key) bool {
		d := rows[key]
		return d.SweepAt.IsZero() || d.SweepAt.After(until)
	}), err
}

// readDead reads the deliveries that need a person. The index may still have deliveries that no longer need a person;
// readDead leaves them out when it has read their rows.
func (s *Store) readDead(ctx context.Context, in span, n int) (dead []delivery.Delivery, last delivery.Key, more bool, err error) {
	if bytes.Compare(in.low, in.high) > 0 {
		return nil, last, false, nil
	}
	found, err := s.entries(ctx, n, func(shard int) *dynamodb.QueryInput {
		input, _ := in.query(s.tables.Deliveries, tables.Dead.Partition.Name, tables.Dead.Sort.Name, number(int64(shard)))
		input.IndexName = aws.String(tables.Dead.Name)
		return input
	})
	if err != nil {
		return nil, last, false, err
	}
	slices.SortFunc(found, func(a, b entry) int {
		if in.backward {
			a, b = b, a
		}
		return bytes.Compare(b.DeadKey, a.DeadKey)
	})
	// If there are fewer than n entries in all shards together, no shard has more.
	more = len(found) >= n
	keys := make([]delivery.Key, min(n, len(found)))
	for i := range keys {
		if keys[i], err = keyOf(found[i].Partition, found[i].Sort); err != nil {
			return nil, last, false, err
		}
		last = keys[i]
	}
	rows, err := s.DeliveriesByKey(ctx, keys...)
	for _, key := range keys {
		if d, ok := rows[key]; ok && d.NeedsPerson() {
			dead = append(dead, d)
		}
	}
	return dead, last, more, err
}
