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
	"nepenthes/shared/store"
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
		return d, store.Missing(deliveryKind, key.ID())
	}
	return r.delivery()
}

// row reads the row of a delivery. found is false if there is no row or it has expired.
func (s *Store) row(ctx context.Context, key delivery.Key) (r row, found bool, err error) {
	k, err := rowKey(key)
	if err != nil {
		return r, false, err
	}
	stored, err := s.get(ctx, s.tables.Deliveries, k)
	if err != nil {
		return r, false, err
	}
	return s.unmarshalRow(stored)
}

// DeliveriesByKey implements store.Deliveries.
func (s *Store) DeliveriesByKey(ctx context.Context, keys ...delivery.Key) (found map[delivery.Key]delivery.Delivery, err error) {
	defer fault.Wrap(&err, "read %d deliveries", len(keys))
	asked := map[delivery.Key]item{} // a map, because a batch must not repeat a key
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
		r, live, err := s.unmarshalRow(one)
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

// PutDelivery implements store.Deliveries. It sends one request, even if it loses, unless the attempt has no room in
// the row. Such an attempt is written first, beside the row.
func (s *Store) PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (
	now delivery.Delivery, won bool, err error,
) {
	defer fault.Wrap(&err, "store delivery of event %s to %s", hex.EncodeToString(d.Event[:]), d.Webhook)
	change, err := newRowChange(&d, s.nowSeconds())
	if err != nil {
		return now, false, err
	}
	placed, err := s.place(ctx, &d, change, ended)
	if err != nil {
		return now, false, err
	}
	// One conditional update decides. If it is refused, it also returns the row of the winner.
	stored, refused, err := s.update(ctx, change.input(s.tables.Deliveries))
	if err == nil && refused && placed == inRow && versionOf(stored) == d.Version && !change.isStored(stored) {
		// The version was right, so the first attempt has left no room for this one.
		change.removeAttempt(ended)
		if placed, err = s.putAttempt(ctx, &d, ended); err == nil {
			stored, refused, err = s.update(ctx, change.input(s.tables.Deliveries))
		}
	}
	if err != nil {
		return now, false, err
	}
	if !refused || change.isStored(stored) {
		d.Version++
		return d, true, nil
	}
	// The row belongs to another writer now, so the attempt that was written for it must not be found later.
	if placed == addedBeside {
		if err := s.deleteAttempt(ctx, &d, ended); err != nil {
			return now, false, err
		}
	}
	r, found, err := s.unmarshalRow(stored)
	if err != nil || !found {
		return now, false, err
	}
	now, err = r.delivery()
	return now, false, err
}

// rowChange is an update of a row: the attributes that it sets and removes, and its condition.
type rowChange struct {
	key       item
	set       item
	remove    []string
	condition string
	values    item
}

// newRowChange returns the change that stores d under its next version. A row that does not exist yet may have an
// expired predecessor; the change removes the attempts of the predecessor.
func newRowChange(d *delivery.Delivery, now types.AttributeValue) (c *rowChange, err error) {
	content, err := contentOf(d)
	if err != nil {
		return nil, err
	}
	c = &rowChange{condition: absentCondition("p"), values: item{":now": now}}
	if c.key, err = rowKey(d.Key); err != nil {
		return nil, err
	}
	if c.set, err = attributevalue.MarshalMap(content); err != nil {
		return nil, err
	}
	for _, name := range contentNames {
		if c.set[name] == nil {
			c.remove = append(c.remove, name)
		}
	}
	// The version of a delivery that has expired starts again at 1, so a write under an old version also requires that
	// the row has not expired.
	c.set["v"], c.set["t"] = number(d.Version+1), number(expiry(d.ExpiresAt))
	if d.Version == 0 {
		c.remove = append(c.remove, "a1", "a2", "an")
		return c, nil
	}
	c.condition, c.values[":was"] = "v = :was AND t > :now", number(d.Version)
	return c, nil
}

// isStored reports whether stored is what the change would make of the row.
func (c *rowChange) isStored(stored item) bool {
	for name, value := range c.set {
		if !reflect.DeepEqual(stored[name], value) {
			return false
		}
	}
	return !slices.ContainsFunc(c.remove, func(name string) bool { return stored[name] != nil })
}

// input returns the request for the change. It uses placeholders for all names, because some are reserved words.
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
