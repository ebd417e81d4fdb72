package dynamo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// write is one write of a transaction.
type write struct {
	types.TransactWriteItem
	// refused says what it means that the write's condition does not hold, given what is stored: an error, errAgain,
	// or nil when the transaction has happened before.
	refused func(stored item) error
}

// errAgain says that a transaction should be tried again from the beginning.
var errAgain = errors.New("try again")

// transact carries out all writes or none. done is false when it has to be tried again: another transaction was
// in the way, or a write that was refused says so. When several are refused, the first decides. The SDK gives each
// call a token, so its own repeat of a transaction whose answer got lost changes nothing.
func (s *Store) transact(ctx context.Context, writes ...write) (done bool, err error) {
	input := &dynamodb.TransactWriteItemsInput{}
	for _, w := range writes {
		input.TransactItems = append(input.TransactItems, w.TransactWriteItem)
	}
	_, err = s.client.TransactWriteItems(ctx, input)
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return true, classify(err)
	}
	again := false
	for i, reason := range canceled.CancellationReasons {
		switch code := aws.ToString(reason.Code); code {
		case "None":
		case "ConditionalCheckFailed":
			if err := writes[i].refused(reason.Item); err != errAgain {
				return true, err
			}
			again = true
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			again = true
		default:
			return true, fmt.Errorf("write %d of the transaction: %s: %w", i, code, err)
		}
	}
	if !again { // no reason given
		return true, err
	}
	return false, nil
}

// versioned is a put of a noun on condition that the version before its own is the stored one; a version of 1
// makes it.
func versioned(table, kind, id string, noun item) (*types.Put, func(stored item) error) {
	put := &types.Put{
		TableName: &table, Item: noun, ConditionExpression: aws.String("attribute_not_exists(p)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if version := versionOf(noun); version > 1 {
		put.ConditionExpression = aws.String("v = :was")
		put.ExpressionAttributeValues = item{":was": number(version - 1)}
	}
	return put, func(stored item) error {
		switch {
		case reflect.DeepEqual(stored, noun):
			return nil
		case len(stored) == 0:
			return missing(kind, id)
		}
		return conflict(kind)
	}
}

// versionOf is the version of an item, 0 for one that is not there.
func versionOf(i item) int64 {
	var head struct {
		Version int64 `dynamodbav:"v"`
	}
	_ = attributevalue.UnmarshalMap(i, &head) // an item without a version has none
	return head.Version
}

// noun reads a noun of the config table, and as it is stored.
func noun[T any](ctx context.Context, s *Store, kind, id string, key item) (found T, stored item, err error) {
	if !canBeKey(id) {
		return found, nil, missing(kind, id)
	}
	if stored, err = s.get(ctx, s.tables.Config, key); err == nil {
		found, err = unmarshal[T](stored, kind, id)
	}
	return found, stored, err
}

// marshal makes an item of a noun and its key.
func marshal(noun any, key item) (item, error) {
	made, err := attributevalue.MarshalMap(noun)
	if err == nil {
		maps.Copy(made, key)
	}
	return made, err
}

// unmarshal reads a noun from an item; nil and kind and id stand for one that is not there.
func unmarshal[T any](stored item, kind, id string) (noun T, err error) {
	if len(stored) == 0 {
		return noun, missing(kind, id)
	}
	return noun, attributevalue.UnmarshalMap(stored, &noun)
}
