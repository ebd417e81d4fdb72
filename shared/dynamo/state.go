package dynamo

import (
	"context"
	"crypto/rand"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/fault"
)

// stateItem is a value or a counter. A counter that was never counted does not exist.
type stateItem struct {
	Value []byte `dynamodbav:"b"`
	Count int64  `dynamodbav:"n,omitempty"`
	TTL   int64  `dynamodbav:"t"`
	// Writer is a random number for the call that added the value; see AddState.
	Writer []byte `dynamodbav:"x,omitempty"`
}

// PutState implements store.State.
func (s *Store) PutState(ctx context.Context, key string, value []byte, expires time.Time) (err error) {
	defer fault.Wrap(&err, "store state")
	made, err := marshal(stateItem{Value: value, TTL: expiry(expires)}, valueKey(key))
	if err != nil {
		return err
	}
	_, _, err = s.put(ctx, &dynamodb.PutItemInput{TableName: &s.tables.State, Item: made})
	return err
}

// AddState implements store.State. If two callers add the same value, one of them must get UpdateConflict. So AddState
// marks the value with its caller, to recognise its own write when the SDK repeats it after a lost response.
func (s *Store) AddState(ctx context.Context, key string, value []byte, expires time.Time) (err error) {
	defer fault.Wrap(&err, "add state")
	writer := make([]byte, 8)
	_, _ = rand.Read(writer) // never fails
	made, err := marshal(stateItem{Value: value, TTL: expiry(expires), Writer: writer}, valueKey(key))
	if err != nil {
		return err
	}
	stored, refused, err := s.put(ctx, &dynamodb.PutItemInput{
		TableName: &s.tables.State, Item: made,
		ConditionExpression: aws.String(absentCondition("k")), ExpressionAttributeValues: item{":now": s.nowSeconds()},
	})
	if refused && !reflect.DeepEqual(stored, made) {
		return fault.New(fault.UpdateConflict, "The key exists already.")
	}
	return err
}

// State implements store.State.
func (s *Store) State(ctx context.Context, key string) (value []byte, err error) {
	defer fault.Wrap(&err, "read state")
	i, found, err := s.state(ctx, valueKey(key))
	if err == nil && !found {
		err = fault.New(fault.NotFound, "The key does not exist or has expired.")
	}
	return i.Value, err
}

// state reads a value or a counter. found is false if it does not exist or has expired.
func (s *Store) state(ctx context.Context, key item) (i stateItem, found bool, err error) {
	stored, err := s.get(ctx, s.tables.State, key)
	if err != nil || len(stored) == 0 {
		return i, false, err
	}
	err = attributevalue.UnmarshalMap(stored, &i)
	return i, err == nil && !s.expired(i.TTL), err
}

// DropState implements store.State.
func (s *Store) DropState(ctx context.Context, key string) (err error) {
	defer fault.Wrap(&err, "drop state")
	return s.delete(ctx, s.tables.State, valueKey(key))
}

// Count implements store.State. It takes one write if the counter exists, was never counted, or is counted down. It
// takes a second write to replace a counter that has expired but that DynamoDB has not deleted yet.
func (s *Store) Count(ctx context.Context, key string, by int64, expires time.Time) (count int64, err error) {
	defer fault.Wrap(&err, "count")
	if by == 0 {
		i, found, err := s.state(ctx, counterKey(key))
		if !found {
			i.Count = 0
		}
		return i.Count, err
	}
	writes := []*dynamodb.UpdateItemInput{s.countUp(key, by, expires), s.restartCounter(key, by, expires)}
	if by < 0 {
		writes = []*dynamodb.UpdateItemInput{s.countDown(key, by)}
	}
	err = retry(ctx, func(ctx context.Context) (done bool, err error) {
		refused := false
		for _, write := range writes {
			var stored item
			if stored, refused, err = s.update(ctx, write); err != nil || !refused {
				var i stateItem
				if err == nil {
					err = attributevalue.UnmarshalMap(stored, &i)
				}
				count = i.Count
				return true, err
			}
		}
		// A counter that is counted down does not exist, so the count is 0. A counter that is counted up had expired,
		// and another caller restarted it in between, so counting is tried again.
		return by < 0, nil
	})
	return count, err
}

// countUp returns the update that adds to a counter, unless it has expired, and creates a counter that does not exist.
func (s *Store) countUp(key string, by int64, expires time.Time) *dynamodb.UpdateItemInput {
	return s.counterUpdate(key, by, expires, "SET t = if_not_exists(t, :t) ADD n :by", "attribute_not_exists(k) OR t > :now")
}

// restartCounter returns the update that replaces a counter that has expired.
func (s *Store) restartCounter(key string, by int64, expires time.Time) *dynamodb.UpdateItemInput {
	return s.counterUpdate(key, by, expires, "SET t = :t, n = :by", "t <= :now")
}

// counterUpdate returns an update of a counter with an expression and a condition.
func (s *Store) counterUpdate(key string, by int64, expires time.Time, expression, condition string) *dynamodb.UpdateItemInput {
	return &dynamodb.UpdateItemInput{
		TableName: &s.tables.State, Key: counterKey(key), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression: &expression, ConditionExpression: &condition,
		ExpressionAttributeValues: item{":t": number(expiry(expires)), ":by": number(by), ":now": s.nowSeconds()},
	}
}

// countDown returns the update that adds a negative number to a counter that has not expired.
func (s *Store) countDown(key string, by int64) *dynamodb.UpdateItemInput {
	return &dynamodb.UpdateItemInput{
		TableName: &s.tables.State, Key: counterKey(key), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression: aws.String("ADD n :by"), ConditionExpression: aws.String("t > :now"),
		ExpressionAttributeValues: item{":by": number(by), ":now": s.nowSeconds()},
	}
}
