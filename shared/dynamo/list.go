package dynamo

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/store"
	"nepenthes/shared/tables"
)

const (
	// pageReads is the largest number of reads for one page: rows that a filter leaves out cost as much as rows that it
	// keeps.
	pageReads = 5
	// filteredRead is the smallest number of rows that one read asks for when a filter leaves some out.
	filteredRead = 200
)

// list is one of the two lists of deliveries. keySize is the size of its keys. read reads up to n deliveries of a span
// in its order. last is the key of the last row that was read, and more reports whether others may follow.
type list struct {
	keySize int
	read    func(ctx context.Context, in span, n int) (found []delivery.Delivery, last delivery.Key, more bool, err error)
}

// Deliveries implements store.Deliveries.
func (s *Store) Deliveries(ctx context.Context, q store.Query) (page store.Page, err error) {
	defer fault.Wrap(&err, "list deliveries")
	from := list{deadSize, s.readDead}
	if q.Webhook != "" {
		partition, err := packWebhookID(q.Webhook)
		if err != nil { // not the id of a webhook, so there are no rows
			return page, nil
		}
		from = list{sortSize, s.readWebhook(partition, q.MayLag)}
	}
	if page, err = collect(ctx, q, from); q.Backward {
		slices.Reverse(page.Deliveries)
	}
	return page, err
}

// collect reads until the page is full, the list ends, or it has made pageReads reads.
func collect(ctx context.Context, q store.Query, from list) (page store.Page, err error) {
	in, n := spanOf(q, from.keySize), q.Limit+1 // one more than the page, to see whether there is a next page
	if q.State != "" || q.EventType != "" {
		n = max(n, filteredRead)
	}
	// A page that filters leave almost empty ends here with fewer deliveries and a place to continue.
	for range pageReads {
		found, last, more, err := from.read(ctx, in, n)
		if err != nil {
			return page, err
		}
		for _, d := range found {
			if q.State != "" && q.State != d.State || q.EventType != "" && q.EventType != d.EventType {
				continue
			}
			if len(page.Deliveries) == q.Limit {
				key := page.Deliveries[q.Limit-1].Key
				page.More = &key
				return page, nil
			}
			page.Deliveries = append(page.Deliveries, d)
		}
		if !more {
			page.More = nil
			return page, nil
		}
		page.More = &last
		in.resume(last)
	}
	return page, nil
}

// span is a part of a list: the keys from low to high, both inclusive.
type span struct {
	low, high []byte
	backward  bool // oldest first
}

// spanOf returns the span that q asks for.
func spanOf(q store.Query, keySize int) span {
	in := span{low: edge(0, 0, keySize), high: edge(lastMs, 0xff, keySize), backward: q.Backward}
	if !q.Since.IsZero() {
		in.low = edge(firstMs(q.Since), 0, keySize)
	}
	if !q.Until.IsZero() {
		in.high = step(edge(firstMs(q.Until), 0, keySize), -1)
	}
	if q.From != (delivery.Key{}) {
		in.resume(q.From)
	}
	return in
}

// lastMs is the last millisecond that fits into a key, in the year 10889.
const lastMs = 1<<(8*receivedSize) - 1

// firstMs returns the first whole millisecond that is not before t and fits into a key.
func firstMs(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return min(max(ms, 0), lastMs)
}

// edge returns the first key (if fill is 0) or the last key (if fill is 0xff) of a millisecond.
func edge(ms int64, fill byte, keySize int) []byte {
	key := sortKey(delivery.Key{ReceivedMs: ms})[:receivedSize]
	return append(key, bytes.Repeat([]byte{fill}, keySize-receivedSize)...)
}

// resume removes from the span every key up to and including key, in the order of the list.
func (in *span) resume(key delivery.Key) {
	at, err := deadKey(key)
	if err != nil { // a key without a webhook sorts before all others of its event
		at = append(sortKey(key), make([]byte, webhookSize)...)
	}
	if at = at[:len(in.low)]; in.backward {
		in.low = slices.MaxFunc([][]byte{in.low, step(at, 1)}, bytes.Compare)
	} else {
		in.high = slices.MinFunc([][]byte{in.high, step(at, -1)}, bytes.Compare)
	}
}

// step returns the key after key (if by is 1) or before it (if by is -1). For the first key it returns nil, which sorts
// before every key.
func step(key []byte, by int) []byte {
	key = bytes.Clone(key)
	for i := len(key) - 1; i >= 0; i-- {
		key[i] += byte(by)
		if by > 0 && key[i] != 0x00 || by < 0 && key[i] != 0xff {
			return key
		}
	}
	return nil
}

// query returns the query for a span of the partition whose key attribute has the given value. sort names the sort key.
// some reports whether the span can have any items.
func (in span) query(table, partition, sort string, value types.AttributeValue) (input *dynamodb.QueryInput, some bool) {
	return &dynamodb.QueryInput{
		TableName: &table, ScanIndexForward: &in.backward,
		KeyConditionExpression:    aws.String("#p = :p AND #s BETWEEN :low AND :high"),
		ExpressionAttributeNames:  map[string]string{"#p": partition, "#s": sort},
		ExpressionAttributeValues: item{":p": value, ":low": blob(in.low), ":high": blob(in.high)},
	}, bytes.Compare(in.low, in.high) <= 0
}

// readWebhook returns the function that reads the rows of a webhook. A read that may lag costs half.
func (s *Store) readWebhook(partition []byte, mayLag bool) func(context.Context, span, int) ([]delivery.Delivery, delivery.Key, bool, error) {
	return func(ctx context.Context, in span, n int) (found []delivery.Delivery, last delivery.Key, more bool, err error) {
		input, some := in.query(s.tables.Deliveries, tables.Deliveries.Partition.Name, tables.Deliveries.Sort.Name, blob(partition))
		if !some {
			return nil, last, false, nil
		}
		input.ConsistentRead = aws.Bool(!mayLag)
		stored, err := s.query(ctx, input, n)
		if err != nil {
			return nil, last, false, err
		}
		for _, one := range stored {
			var r row
			if err := attributevalue.UnmarshalMap(one, &r); err != nil {
				return nil, last, false, err
			}
			d, err := r.delivery()
			if err != nil {
				return nil, last, false, err
			}
			// An expired row is left out, but the next read must continue after it.
			if last = d.Key; !s.expired(r.TTL) {
				found = append(found, d)
			}
		}
		return found, last, len(stored) == n, nil
	}
}
