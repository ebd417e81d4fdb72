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
	getMax = 100 // the most keys that one BatchGetItem accepts
	// parallelRequests is the largest number of requests that one call has under way.
	parallelRequests = 16
)

// gather runs n parts in parallel and returns their results, concatenated in order. It returns the error of the first
// part that fails.
func gather[T any](n int, part func(i int) ([]T, error)) ([]T, error) {
	results := make([][]T, n)
	var group errgroup.Group
	group.SetLimit(parallelRequests)
	for i := range n {
		group.Go(func() (err error) {
			results[i], err = part(i)
			return err
		})
	}
	err := group.Wait()
	return slices.Concat(results...), err
}

// getAll reads the items that exist under keys, strongly consistent and in no particular order. The keys must be
// distinct.
func (s *Store) getAll(ctx context.Context, table string, keys []item) ([]item, error) {
	batches := slices.Collect(slices.Chunk(keys, getMax))
	return gather(len(batches), func(i int) (found []item, err error) {
		ask := map[string]types.KeysAndAttributes{table: {Keys: batches[i], ConsistentRead: aws.Bool(true)}}
		err = retry(ctx, func(ctx context.Context) (done bool, err error) {
			output, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: ask})
			if err != nil {
				return true, classify(err)
			}
			// DynamoDB may read only a part of the keys, for example because the items exceed 16 MB.
			found = append(found, output.Responses[table]...)
			ask = output.UnprocessedKeys
			return len(ask) == 0, nil
		})
		return found, err
	})
}

// errDamaged says that a stored item cannot be unpacked.
var errDamaged = errors.New("the item is damaged")
