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
	"nepenthes/shared/tables"
)

const keyPairKind = "list of key pairs"

// keyPairItem is how a pair is stored, see settingsItem. Pairs of a purpose are numbered in the order of their making.
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
	found, err := s.nouns(ctx, tables.KeyPairsPart+purpose)
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
	switch newest {
	case pair.ID: // the same write, whose answer was lost
		return nil
	case after:
		return s.addKeyPair(ctx, pair, len(pairs)+1)
	}
	return conflict(keyPairKind)
}

// addKeyPair gives a pair its number, unless another has got it meanwhile.
func (s *Store) addKeyPair(ctx context.Context, pair keypair.Pair, number int) error {
	noun, err := marshal(keyPairItem(pair), configKey(tables.KeyPairsPart+pair.Purpose, fmt.Sprintf(keyPairSortPattern, number)))
	if err != nil {
		return err
	}
	stored, refused, err := s.put(ctx, &dynamodb.PutItemInput{
		TableName: &s.tables.Config, Item: noun, ConditionExpression: aws.String("attribute_not_exists(p)"),
	})
	if refused && !reflect.DeepEqual(stored, noun) {
		return conflict(keyPairKind)
	}
	return err
}
