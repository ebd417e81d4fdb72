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

	"nepenthes/shared/store"
)

// write is one write of a transaction.
type write struct {
	types.TransactWriteItem
	// refused is called if the condition of the write does not hold. stored is the stored item. refused returns an
	// error, errAgain, or nil if the transaction has happened before.
	refused func(stored item) error
}

// errAgain says that the caller should try the transaction again from the beginning.
var errAgain = errors.New("try again")

// transact carries out all writes or none. done is false if the transaction has to be tried again, because another
// transaction was in the way or because the refusal of a write says so. If several writes are refused, the first one
// decides. The SDK gives each call a token, so its own repetition after a lost response changes nothing.
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
		// Each of these may pass by itself. The SDK does not retry a transaction that was cancelled because of them.
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			again = true
		default:
			// Any other reason, such as an item that is too large, is an error of ours and does not pass.
			return true, fmt.Errorf("write %d of the transaction: %s: %w", i, code, err)
		}
	}
	if !again { // DynamoDB gave no reason
		return true, err
	}
	return false, nil
}

// versionedPut returns a put of an item, on condition that the stored version is the one before. A put of version 1
// requires that there is no item. The function that it returns says what a refusal means; see write.
func versionedPut(table, kind, id string, next item) (*types.Put, func(stored item) error) {
	// A refused write returns the stored item, which shows whether the write is a repetition.
	put := &types.Put{
		TableName: &table, Item: next, ConditionExpression: aws.String("attribute_not_exists(p)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if version := versionOf(next); version > 1 {
		put.ConditionExpression = aws.String("v = :was")
		put.ExpressionAttributeValues = item{":was": number(version - 1)}
	}
	return put, func(stored item) error {
		switch {
		case reflect.DeepEqual(stored, next):
			return nil
		case len(stored) == 0:
			return store.Missing(kind, id)
		}
		return store.Conflict(kind)
	}
}

// versionOf returns the version of an item, or 0 if there is no item.
func versionOf(i item) int64 {
	var head struct {
		Version int64 `dynamodbav:"v"`
	}
	_ = attributevalue.UnmarshalMap(i, &head) // an item without a version has none
	return head.Version
}

// readItem reads a value of the config table. It returns the value and its item.
func readItem[T any](ctx context.Context, s *Store, kind, id string, key item) (found T, stored item, err error) {
	if !canBeKey(id) {
		return found, nil, store.Missing(kind, id)
	}
	if stored, err = s.get(ctx, s.tables.Config, key); err == nil {
		found, err = unmarshal[T](stored, kind, id)
	}
	return found, stored, err
}

// marshal returns the item with the members of value and the attributes of key.
func marshal(value any, key item) (item, error) {
	made, err := attributevalue.MarshalMap(value)
	if err == nil {
		maps.Copy(made, key)
	}
	return made, err
}

// unmarshal reads a value from an item. If there is no item, it returns a fault of kind NotFound that names kind and
// id.
func unmarshal[T any](stored item, kind, id string) (value T, err error) {
	if len(stored) == 0 {
		return value, store.Missing(kind, id)
	}
	return value, attributevalue.UnmarshalMap(stored, &value)
}
