// Package dynamo keeps everything the system stores in four DynamoDB tables; it is the only importer of the
// DynamoDB SDK. One file per noun; what their keys look like is in keys.go, how tables are made in package tables.
//
// Three rules hold throughout. What decides is a condition of the write itself, never a read before it. Reads are
// strongly consistent but for the two indexes, which DynamoDB only offers eventually. And DynamoDB deletes late:
// an item whose time is over counts as absent, in reads and in conditions.
//
// The SDK repeats a request whose answer got lost, and callers repeat a write that ended as Unavailable. Such a
// repeat meets its own condition; it is recognised by what is stored, which is exactly what it would have written.
package dynamo

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/tables"
)

// Config names what a Store needs.
type Config struct {
	// AWS is package awsclient's configuration.
	AWS aws.Config
	// Tables are the deployed names; each is required.
	Tables tables.Names
	// Now is the clock by which things expire; nil means time.Now.
	Now func() time.Time
}

// Store implements store.Store. It is safe for concurrent use.
type Store struct {
	client  *dynamodb.Client
	tables  tables.Names
	now     func() time.Time
	settled atomic.Int64  // the newest catalogue version known to be through, see CatalogueVersion
	turn    chan struct{} // holds one token: changes of the catalogue from one process take turns
}

// New makes a Store; it panics when a table has no name, and does not touch the network.
func New(c Config) *Store {
	for _, table := range tables.All() {
		if c.Tables.Of(table) == "" {
			panic("dynamo: table " + table.Name + " has no name")
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Store{client: newClient(c.AWS), tables: c.Tables, now: c.Now, turn: make(chan struct{}, 1)}
}

// newClient makes a client. Emulators send no checksums with their own errors, of which the client would warn.
func newClient(cfg aws.Config) *dynamodb.Client {
	return dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.DisableValidateResponseChecksum = cfg.BaseEndpoint != nil
	})
}

// item is an item, or its key, as DynamoDB has it.
type item = map[string]types.AttributeValue

// get reads one item, strongly consistent; nil when it is not there.
func (s *Store) get(ctx context.Context, table string, key item) (item, error) {
	output, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, classify(err)
	}
	return output.Item, nil
}

// put writes an item on a condition ("" for none). When the condition does not hold, refused is true and stored is
// what stands there, nil for nothing.
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

// update changes an item, like put.
func (s *Store) update(ctx context.Context, input *dynamodb.UpdateItemInput) (stored item, refused bool, err error) {
	input.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	output, err := s.client.UpdateItem(ctx, input)
	if err == nil {
		return output.Attributes, false, nil
	}
	return refusal(err)
}

func (s *Store) delete(ctx context.Context, table string, key item) error {
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: key})
	return classify(err)
}

// query reads pages of a query until there are limit items (0: all), or no more.
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

// absent is the condition that nothing stands under a key, or only what has expired; :now is nowSeconds.
func absent(key string) string { return "attribute_not_exists(" + key + ") OR t <= :now" }

// expired reports whether an item's time is over. Expiry counts in whole seconds, as DynamoDB's own does.
func (s *Store) expired(t int64) bool { return t <= s.now().Unix() }

// nowSeconds is the present in conditions.
func (s *Store) nowSeconds() types.AttributeValue { return number(s.now().Unix()) }

// expiry is the second from which on something counts as absent: the first that is not before at.
func expiry(at time.Time) int64 {
	if at.Nanosecond() > 0 {
		return at.Unix() + 1
	}
	return at.Unix()
}
