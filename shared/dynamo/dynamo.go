// Package dynamo keeps everything that the system stores in four DynamoDB tables. It is the only importer of the
// DynamoDB SDK. Each noun has a file; keys.go has the keys, and package tables has the schema.
//
// Three rules hold throughout. A write depends on its own condition, never on an earlier read. Reads are strongly
// consistent, except for the indexes, which DynamoDB offers only eventually consistent. DynamoDB deletes expired
// items late, so reads and conditions treat them as absent.
//
// The SDK repeats a request whose response was lost, and callers repeat a write that returned Unavailable. The
// condition of such a repetition does not hold. The store recognises it because the stored item is exactly what the
// repetition would write.
package dynamo

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/required"
	"nepenthes/shared/tables"
)

// Config configures a Store.
type Config struct {
	// AWS is the configuration that package awsclient loads.
	AWS aws.Config
	// Tables has the names of the deployed tables. All are required.
	Tables tables.Names
	// Now is the clock for expiry. If it is nil, time.Now is used.
	Now func() time.Time
}

// Store implements store.Store. It is safe for concurrent use.
type Store struct {
	client    *dynamodb.Client
	tables    tables.Names
	now       func() time.Time
	committed atomic.Int64  // the newest catalogue version known to be committed; see CatalogueVersion
	turn      chan struct{} // holds one token while this process changes the catalogue: its changes take turns
}

// New returns a Store. It panics if a table has no name. It does not use the network.
func New(c Config) *Store {
	for _, table := range tables.All() {
		required.That(c.Tables.Of(table) != "", c, "Tables has no name for "+table.Name)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Store{client: newClient(c.AWS), tables: c.Tables, now: c.Now, turn: make(chan struct{}, 1)}
}

// newClient returns a client. With an emulator it does not check checksums: emulators send none with their own errors,
// and the client would log a warning for each.
func newClient(cfg aws.Config) *dynamodb.Client {
	return dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.DisableValidateResponseChecksum = cfg.BaseEndpoint != nil
	})
}

// item is an item of a table, or the key of one.
type item = map[string]types.AttributeValue

// get reads one item, strongly consistent. It returns nil if the item does not exist.
func (s *Store) get(ctx context.Context, table string, key item) (item, error) {
	output, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, classify(err)
	}
	return output.Item, nil
}

// put writes an item, on a condition if the input has one. If the condition does not hold, refused is true and stored
// is the stored item, or nil if there is none.
func (s *Store) put(ctx context.Context, input *dynamodb.PutItemInput) (stored item, refused bool, err error) {
	if input.ConditionExpression != nil {
		input.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	output, err := s.client.PutItem(ctx, input)
	if err == nil {
		return output.Attributes, false, nil
	}
	return refusal(err)
}

// update changes an item on a condition. Its results are those of put.
func (s *Store) update(ctx context.Context, input *dynamodb.UpdateItemInput) (stored item, refused bool, err error) {
	input.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	output, err := s.client.UpdateItem(ctx, input)
	if err == nil {
		return output.Attributes, false, nil
	}
	return refusal(err)
}

// delete deletes an item. Deleting an item that does not exist is not an error.
func (s *Store) delete(ctx context.Context, table string, key item) error {
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: key})
	return classify(err)
}

// query reads pages of a query until it has limit items or there are no more. A limit of 0 reads all items.
func (s *Store) query(ctx context.Context, input *dynamodb.QueryInput, limit int) ([]item, error) {
	if limit > 0 {
		input.Limit = aws.Int32(int32(limit))
	}
	var found []item
	for pages := dynamodb.NewQueryPaginator(s.client, input); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, classify(err)
		}
		if found = append(found, page.Items...); limit > 0 && len(found) >= limit {
			return found[:limit], nil
		}
	}
	return found, nil
}

// absentCondition returns the condition that no item exists under a key or that it has expired. The value :now is
// nowSeconds.
func absentCondition(key string) string { return "attribute_not_exists(" + key + ") OR t <= :now" }

// expired reports whether the time to live t has passed. Like DynamoDB, it compares whole seconds.
func (s *Store) expired(t int64) bool { return t <= s.now().Unix() }

// nowSeconds returns the current time as conditions compare it.
func (s *Store) nowSeconds() types.AttributeValue { return number(s.now().Unix()) }

// expiry returns the time to live of an item that expires at at: the first whole second that is not before at.
func expiry(at time.Time) int64 {
	if at.Nanosecond() > 0 {
		return at.Unix() + 1
	}
	return at.Unix()
}
