package dynamo

import (
	"context"
	"encoding/hex"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
)

const deliveryKind = "delivery"

// Delivery implements store.Deliveries.
func (s *Store) Delivery(ctx context.Context, key delivery.Key) (d delivery.Delivery, err error) {
	defer fault.Wrap(&err, "read delivery of event %s to %s", hex.EncodeToString(key.Event[:]), key.Webhook)
	r, found, err := s.row(ctx, key)
	if err != nil {
		return d, err
	}
	if !found {
		return d, missing(deliveryKind, key.ID())
	}
	return r.delivery()
}

// row reads the row of a delivery that has not expired.
func (s *Store) row(ctx context.Context, key delivery.Key) (r row, found bool, err error) {
	k, err := rowKey(key)
	if err != nil {
		return r, false, err
	}
	stored, err := s.get(ctx, s.tables.Deliveries, k)
	if err != nil {
		return r, false, err
	}
	return s.rowOf(stored)
}

// DeliveriesByKey implements store.Deliveries.
func (s *Store) DeliveriesByKey(ctx context.Context, keys ...delivery.Key) (found map[delivery.Key]delivery.Delivery, err error) {
	defer fault.Wrap(&err, "read %d deliveries", len(keys))
	asked := map[delivery.Key]item{}
	for _, key := range keys {
		if asked[key], err = rowKey(key); err != nil {
			return nil, err
		}
	}
	stored, err := s.getAll(ctx, s.tables.Deliveries, slices.Collect(maps.Values(asked)))
	if err != nil {
		return nil, err
	}
	found = map[delivery.Key]delivery.Delivery{}
	for _, one := range stored {
		r, live, err := s.rowOf(one)
		if err != nil {
			return nil, err
		}
		if !live {
			continue
		}
		d, err := r.delivery()
		if err != nil {
			return nil, err
		}
		found[d.Key] = d
	}
	return found, nil
}

// PutDelivery implements store.Deliveries. It takes one request, also when it loses, if there is no attempt
// or the attempt finds room in the row. Otherwise the attempt is written first, beside the row.
func (s *Store) PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (
	now delivery.Delivery, won bool, err error,
) {
	defer fault.Wrap(&err, "store delivery of event %s to %s", hex.EncodeToString(d.Event[:]), d.Webhook)
	change, err := changeOf(&d, s.nowSeconds())
	if err != nil {
		return now, false, err
	}
	placed, err := s.place(ctx, &d, change, ended)
	if err != nil {
		return now, false, err
	}
	stored, refused, err := s.update(ctx, change.input(s.tables.Deliveries))
	if err == nil && refused && placed == inRow && versionOf(stored) == d.Version && !change.happened(stored) {
		// It was not the version: the first attempt has left no room for this one.
		change.takeOut(ended)
		if placed, err = s.putAttempt(ctx, &d, ended); err == nil {
			stored, refused, err = s.update(ctx, change.input(s.tables.Deliveries))
		}
	}
	if err != nil {
		return now, false, err
	}
	if !refused || change.happened(stored) {
		d.Version++
		return d, true, nil
	}
	if placed == madeBeside {
		if err := s.dropAttempt(ctx, &d, ended); err != nil {
			return now, false, err
		}
	}
	r, found, err := s.rowOf(stored)
	if err != nil || !found {
		return now, false, err
	}
	now, err = r.delivery()
	return now, false, err
}

// rowChange is an update of a row: what it sets, what it removes, and on which condition.
type rowChange struct {
	key       item
	set       item
	remove    []string
	condition string
	values    item
}

// changeOf makes the change of a row to d and its next version. What expired before it is taken away.
func changeOf(d *delivery.Delivery, now types.AttributeValue) (c *rowChange, err error) {
	rest, err := restOf(d)
	if err != nil {
		return nil, err
	}
	c = &rowChange{condition: absent("p"), values: item{":now": now}}
	if c.key, err = rowKey(d.Key); err != nil {
		return nil, err
	}
	if c.set, err = attributevalue.MarshalMap(rest); err != nil {
		return nil, err
	}
	for _, name := range restNames {
		if c.set[name] == nil {
			c.remove = append(c.remove, name)
		}
	}
	c.set["v"], c.set["t"] = number(d.Version+1), number(expiry(d.ExpiresAt))
	if d.Version == 0 {
		c.remove = append(c.remove, "a1", "a2", "an")
		return c, nil
	}
	c.condition, c.values[":was"] = "v = :was AND t > :now", number(d.Version)
	return c, nil
}

// happened reports whether the change is already what is stored.
func (c *rowChange) happened(stored item) bool {
	for name, value := range c.set {
		if !reflect.DeepEqual(stored[name], value) {
			return false
		}
	}
	return !slices.ContainsFunc(c.remove, func(name string) bool { return stored[name] != nil })
}

func (c *rowChange) input(table string) *dynamodb.UpdateItemInput {
	values := maps.Clone(c.values)
	names := map[string]string{}
	var set []string
	for name, value := range c.set {
		names["#"+name], values[":"+name] = name, value
		set = append(set, "#"+name+" = :"+name)
	}
	for _, name := range c.remove {
		names["#"+name] = name
	}
	expression := "SET " + strings.Join(set, ", ")
	if len(c.remove) > 0 {
		expression += " REMOVE #" + strings.Join(c.remove, ", #")
	}
	return &dynamodb.UpdateItemInput{
		TableName: &table, Key: c.key, UpdateExpression: &expression, ConditionExpression: aws.String(c.condition),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	}
}
