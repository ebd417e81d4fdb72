package dynamo

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
	"nepenthes/shared/store"
	"nepenthes/shared/tables"
)

const keyPairKind = "list of key pairs"

// keyPairItem is the stored form of a key pair; see settingsItem. The pairs of a purpose are numbered in the order in
// which they were added.
type keyPairItem struct {
	ID        string    `dynamodbav:"id"`
	Purpose   string    `dynamodbav:"purpose"`
	PublicKey []byte    `dynamodbav:"publicKey"`
	Wrapped   []byte    `dynamodbav:"wrapped"`
	CreatedAt time.Time `dynamodbav:"createdAt"`
}

// KeyPairs implements store.Store.
func (s *Store) KeyPairs(ctx context.Context, purpose string) (pairs []keypair.Pair, err error) {
	defer fault.Wrap(&err, "list key pairs for %s", purpose)
	found, err := s.partition(ctx, tables.KeyPairsPart+purpose)
	if err != nil {
		return nil, err
	}
	for _, stored := range found {
		pair, err := unmarshal[keyPairItem](stored, keyPairKind, purpose)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, keypair.Pair(pair))
	}
	return pairs, nil
}

// PutKeyPair implements store.Store.
func (s *Store) PutKeyPair(ctx context.Context, pair keypair.Pair, after string) (err error) {
	defer fault.Wrap(&err, "store key pair %s for %s", pair.ID, pair.Purpose)
	pairs, err := s.KeyPairs(ctx, pair.Purpose)
	if err != nil {
		return err
	}
	newest := ""
	if len(pairs) > 0 {
		newest = pairs[len(pairs)-1].ID
	}
	// This only rejects early. The condition of the write decides, since another process may add a pair at any time.
	switch newest {
	case pair.ID: // a repetition of a write whose response was lost
		return nil
	case after:
		return s.addKeyPair(ctx, pair, len(pairs)+1)
	}
	return store.Conflict(keyPairKind)
}

// addKeyPair stores a pair under a number. If another pair has taken the number, addKeyPair returns a fault of kind
// UpdateConflict.
func (s *Store) addKeyPair(ctx context.Context, pair keypair.Pair, number int) error {
	made, err := marshal(keyPairItem(pair), configKey(tables.KeyPairsPart+pair.Purpose, fmt.Sprintf(keyPairSortPattern, number)))
	if err != nil {
		return err
	}
	// Two processes that add at the same time choose the same number, and only one write succeeds.
	stored, refused, err := s.put(ctx, &dynamodb.PutItemInput{
		TableName: &s.tables.Config, Item: made, ConditionExpression: aws.String("attribute_not_exists(p)"),
	})
	if refused && !reflect.DeepEqual(stored, made) {
		return store.Conflict(keyPairKind)
	}
	return err
}
