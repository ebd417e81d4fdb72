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

// stateItem is a value or a counter. A counter that nobody has counted is not there.
type stateItem struct {
	Value []byte `dynamodbav:"b"`
	Count int64  `dynamodbav:"n,omitempty"`
	TTL   int64  `dynamodbav:"t"`
	// Writer is a random number of the call that added the value.
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

// AddState implements store.State. Two callers may add the same value, and one of them must be told that it
// came too late: so it is by the writer that the SDK's repeat after a lost answer is recognised.
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
		ConditionExpression: aws.String(absent("k")), ExpressionAttributeValues: item{":now": s.nowSeconds()},
	})
	if refused && !reflect.DeepEqual(stored, made) {
		return fault.New(fault.UpdateConflict, "It is there already.")
	}
	return err
}

// State implements store.State.
func (s *Store) State(ctx context.Context, key string) (value []byte, err error) {
	defer fault.Wrap(&err, "read state")
	i, found, err := s.state(ctx, valueKey(key))
	if err == nil && !found {
		err = fault.New(fault.NotFound, "It is not there, or no longer.")
	}
	return i.Value, err
}

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

// Count implements store.State. Counting a counter that lives, or that never was, is one write; a second
// takes the place of one that has expired and that DynamoDB has not deleted yet. Counting down is one write.
func (s *Store) Count(ctx context.Context, key string, by int64, expires time.Time) (count int64, err error) {
	defer fault.Wrap(&err, "count")
	if by == 0 {
		i, found, err := s.state(ctx, counterKey(key))
		if !found {
			i.Count = 0
		}
		return i.Count, err
	}
	writes := []*dynamodb.UpdateItemInput{s.countOn(key, by, expires), s.countAnew(key, by, expires)}
	if by < 0 {
		writes = []*dynamodb.UpdateItemInput{s.countDown(key, by)}
	}
	err = patiently(ctx, func(ctx context.Context) (done bool, err error) {
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
		// What is counted down is not there; what is counted up expired, and somebody else began it anew in between.
		return by < 0, nil
	})
	return count, err
}

// countOn adds to a counter that has not expired, or begins one.
func (s *Store) countOn(key string, by int64, expires time.Time) *dynamodb.UpdateItemInput {
	return s.counting(key, by, expires, "SET t = if_not_exists(t, :t) ADD n :by", "attribute_not_exists(k) OR t > :now")
}

// countAnew begins a counter in the place of one that has expired.
func (s *Store) countAnew(key string, by int64, expires time.Time) *dynamodb.UpdateItemInput {
	return s.counting(key, by, expires, "SET t = :t, n = :by", "t <= :now")
}

func (s *Store) counting(key string, by int64, expires time.Time, expression, condition string) *dynamodb.UpdateItemInput {
	return &dynamodb.UpdateItemInput{
		TableName: &s.tables.State, Key: counterKey(key), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression: &expression, ConditionExpression: &condition,
		ExpressionAttributeValues: item{":t": number(expiry(expires)), ":by": number(by), ":now": s.nowSeconds()},
	}
}

// countDown takes from a counter that has not expired.
func (s *Store) countDown(key string, by int64) *dynamodb.UpdateItemInput {
	return &dynamodb.UpdateItemInput{
		TableName: &s.tables.State, Key: counterKey(key), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression: aws.String("ADD n :by"), ConditionExpression: aws.String("t > :now"),
		ExpressionAttributeValues: item{":by": number(by), ":now": s.nowSeconds()},
	}
}
