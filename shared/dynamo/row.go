package dynamo

import (
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/delivery"
	"nepenthes/shared/store"
	"nepenthes/shared/tables"
)

// row is the stored form of a delivery. Empty members are left out, so that a row with one small attempt costs 1 KB.
type row struct {
	Partition []byte `dynamodbav:"p"`
	Sort      []byte `dynamodbav:"s"`
	Version   int64  `dynamodbav:"v"`
	TTL       int64  `dynamodbav:"t"`
	content
	// First and Second are the packed attempts 1 and 2, if they have room in the row.
	First  []byte `dynamodbav:"a1,omitempty"`
	Second []byte `dynamodbav:"a2,omitempty"`
	// Recorded is the number of the newest recorded attempt, wherever that is stored.
	Recorded int64 `dynamodbav:"an,omitempty"`
}

// content is the part of a row that every write replaces.
type content struct {
	ExpiresAt    instant          `dynamodbav:"e,omitempty"`
	EventID      string           `dynamodbav:"i,omitempty"`
	EventSource  string           `dynamodbav:"o,omitempty"`
	EventType    string           `dynamodbav:"y,omitempty"`
	Origin       delivery.Trigger `dynamodbav:"g,omitempty"`
	State        delivery.State   `dynamodbav:"st,omitempty"`
	Reason       delivery.Reason  `dynamodbav:"re,omitempty"`
	AttemptCount int              `dynamodbav:"ac,omitempty"`
	Scheduled    int              `dynamodbav:"sc,omitempty"`
	Next         instant          `dynamodbav:"na,omitempty"`
	Finished     instant          `dynamodbav:"f,omitempty"`
	Rings        int              `dynamodbav:"ri,omitempty"`
	// Last is the packed summary of the last attempt.
	Last  []byte `dynamodbav:"l,omitempty"`
	Lease []byte `dynamodbav:"h,omitempty"`
	Extra []byte `dynamodbav:"d,omitempty"`
	// DueShard, DeadShard and HeldFor put the row into the due index, the dead index and the held index. A row without
	// them is not in the index.
	DueShard  *int    `dynamodbav:"dp,omitempty"`
	SweepAt   instant `dynamodbav:"ds,omitempty"`
	DeadShard *int    `dynamodbav:"xp,omitempty"`
	DeadKey   []byte  `dynamodbav:"xs,omitempty"`
	HeldFor   []byte  `dynamodbav:"hp,omitempty"` // the webhook, as in the row's key
}

// contentNames are the names of all attributes of content.
var contentNames = func() (names []string) {
	for field := range reflect.TypeFor[content]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("dynamodbav"), ",")
		names = append(names, name)
	}
	return names
}()

// instant is a time in nanoseconds since 1970. The zero time is 0; see [store.UnixNano].
type instant int64

// instantOf returns the instant of t.
func instantOf(t time.Time) instant {
	if t.IsZero() {
		return 0
	}
	return instant(store.UnixNano(t))
}

// time returns the time of i.
func (i instant) time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(i)).UTC()
}

// contentOf returns the content of the row of d.
func contentOf(d *delivery.Delivery) (content, error) {
	r := content{
		ExpiresAt: instantOf(d.ExpiresAt), EventID: d.EventID, EventSource: d.EventSource, EventType: d.EventType,
		Origin: d.Origin, State: d.State, Reason: d.Reason, AttemptCount: d.AttemptCount, Scheduled: d.Scheduled,
		Next: instantOf(d.NextAttemptAt), Finished: instantOf(d.FinishedAt), Rings: d.Rings,
		Last: packPointer(d.Last, summaryFields), Lease: packPointer(d.Lease, leaseFields), Extra: packPointer(d.Extra, extraFields),
		SweepAt: instantOf(d.SweepAt),
	}
	dead, err := deadKey(d.Key)
	shard := shardOf(tables.IndexShards, dead)
	if !d.SweepAt.IsZero() {
		r.DueShard = &shard
	}
	if d.NeedsPerson() {
		r.DeadShard, r.DeadKey = &shard, dead
	}
	if d.State == delivery.Held {
		r.HeldFor = dead[sortSize:]
	}
	return r, err
}

// delivery returns the delivery of a row.
func (r *row) delivery() (d delivery.Delivery, err error) {
	if d.Key, err = keyOf(r.Partition, r.Sort); err != nil {
		return d, err
	}
	d = delivery.Delivery{
		Key: d.Key, Version: r.Version, CreatedAt: time.UnixMilli(d.ReceivedMs).UTC(), ExpiresAt: r.ExpiresAt.time(),
		EventID: r.EventID, EventSource: r.EventSource, EventType: r.EventType, Origin: r.Origin,
		State: r.State, Reason: r.Reason, AttemptCount: r.AttemptCount, Scheduled: r.Scheduled,
		NextAttemptAt: r.Next.time(), FinishedAt: r.Finished.time(), SweepAt: r.SweepAt.time(), Rings: r.Rings,
	}
	if d.Last, err = unpackPointer(r.Last, summaryFields); err != nil {
		return d, err
	}
	if d.Lease, err = unpackPointer(r.Lease, leaseFields); err != nil {
		return d, err
	}
	d.Extra, err = unpackPointer(r.Extra, extraFields)
	return d, err
}

// packPointer packs the value that v points to. It returns nil if v is nil.
func packPointer[T any](v *T, fields func(*packing, *T)) []byte {
	if v == nil {
		return nil
	}
	return pack(func(p *packing) { fields(p, v) })
}

// unpackPointer reverses packPointer.
func unpackPointer[T any](data []byte, fields func(*packing, *T)) (*T, error) {
	if data == nil {
		return nil, nil
	}
	v := new(T)
	return v, unpack(data, func(p *packing) { fields(p, v) })
}

// summaryFields, leaseFields and extraFields pack or unpack the fields of their types. Stored items rely on the order of
// the fields, so it never changes.
func summaryFields(p *packing, s *delivery.Summary) {
	packNumber(p, &s.Number)
	packText(p, &s.Outcome)
	packTime(p, &s.StartedAt)
	packNumber(p, &s.Total)
	packNumber(p, &s.Status)
	packText(p, &s.ErrorClass)
}

func leaseFields(p *packing, l *delivery.Lease) {
	packText(p, &l.Attempt)
	packText(p, &l.Trigger)
	packTime(p, &l.Until)
}

func extraFields(p *packing, o *delivery.Extra) {
	packText(p, &o.Trigger)
	packTime(p, &o.At)
}

// unmarshalRow reads a row from its item. found is false if there is no item or it has expired.
func (s *Store) unmarshalRow(stored item) (r row, found bool, err error) {
	if len(stored) == 0 {
		return r, false, nil
	}
	err = attributevalue.UnmarshalMap(stored, &r)
	return r, err == nil && !s.expired(r.TTL), err
}

// size returns the size of an item as DynamoDB counts it: the bytes of names and values. A number takes one byte for
// two digits and one more. Rows have no values of other types.
func size(i item) int {
	total := 0
	for name, value := range i {
		total += len(name)
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			total += len(v.Value)
		case *types.AttributeValueMemberB:
			total += len(v.Value)
		case *types.AttributeValueMemberN:
			total += len(v.Value)/2 + 2
		}
	}
	return total
}
