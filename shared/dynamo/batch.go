package dynamo

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

const (
	getMax = 100 // keys of one BatchGetItem
	putMax = 25  // items of one BatchWriteItem
	// together is how many requests one call has under way.
	together = 16
)

// gather runs n parts at the same time and puts their results one behind the other, in order. It fails with the
// first part that fails.
func gather[T any](n int, part func(i int) ([]T, error)) ([]T, error) {
	results := make([][]T, n)
	var group errgroup.Group
	group.SetLimit(together)
	for i := range n {
		group.Go(func() (err error) {
			results[i], err = part(i)
			return err
		})
	}
	err := group.Wait()
	return slices.Concat(results...), err
}

// getAll reads those items that exist, strongly consistent and in no order. Keys must be different.
func (s *Store) getAll(ctx context.Context, table string, keys []item) ([]item, error) {
	batches := slices.Collect(slices.Chunk(keys, getMax))
	return gather(len(batches), func(i int) (found []item, err error) {
		ask := map[string]types.KeysAndAttributes{table: {Keys: batches[i], ConsistentRead: aws.Bool(true)}}
		err = patiently(ctx, func(ctx context.Context) (done bool, err error) {
			output, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: ask})
			if err != nil {
				return true, classify(err)
			}
			found = append(found, output.Responses[table]...)
			ask = output.UnprocessedKeys
			return len(ask) == 0, nil
		})
		return found, err
	})
}

// putAll writes items without a condition.
func (s *Store) putAll(ctx context.Context, table string, items []item) error {
	for batch := range slices.Chunk(items, putMax) {
		var requests []types.WriteRequest
		for _, i := range batch {
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: i}})
		}
		ask := map[string][]types.WriteRequest{table: requests}
		err := patiently(ctx, func(ctx context.Context) (done bool, err error) {
			output, err := s.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: ask})
			if err != nil {
				return true, classify(err)
			}
			ask = output.UnprocessedItems
			return len(ask) == 0, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

var errDamaged = errors.New("the item is damaged")
