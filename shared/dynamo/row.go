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

// row is a delivery as it is stored. What is empty takes no room: a row with one small attempt is billed as 1 KB.
type row struct {
	Partition []byte `dynamodbav:"p"`
	Sort      []byte `dynamodbav:"s"`
	Version   int64  `dynamodbav:"v"`
	TTL       int64  `dynamodbav:"t"`
	rest
	// First and Second are the attempts of these numbers, packed, as far as they found room.
	First  []byte `dynamodbav:"a1,omitempty"`
	Second []byte `dynamodbav:"a2,omitempty"`
	// Recorded is the number of the newest attempt, wherever it is.
	Recorded int64 `dynamodbav:"an,omitempty"`
}

// rest is what every write replaces.
type rest struct {
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
	// Last is the summary of the last attempt, packed.
	Last  []byte `dynamodbav:"l,omitempty"`
	Lease []byte `dynamodbav:"h,omitempty"`
	Owed  []byte `dynamodbav:"d,omitempty"`
	// A row without these is not in the index.
	DueShard  *int    `dynamodbav:"dp,omitempty"`
	SweepAt   instant `dynamodbav:"ds,omitempty"`
	DeadShard *int    `dynamodbav:"xp,omitempty"`
	DeadKey   []byte  `dynamodbav:"xs,omitempty"`
}

// restNames are the attributes of rest, those that are empty included.
var restNames = func() (names []string) {
	for field := range reflect.TypeFor[rest]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("dynamodbav"), ",")
		names = append(names, name)
	}
	return names
}()

// instant is a time in nanoseconds since 1970, 0 for the zero time; see [store.UnixNano].
type instant int64

func instantOf(t time.Time) instant {
	if t.IsZero() {
		return 0
	}
	return instant(store.UnixNano(t))
}

func (i instant) time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(i)).UTC()
}

// restOf is d as it is stored, its key, version and attempts aside.
func restOf(d *delivery.Delivery) (rest, error) {
	r := rest{
		ExpiresAt: instantOf(d.ExpiresAt), EventID: d.EventID, EventSource: d.EventSource, EventType: d.EventType,
		Origin: d.Origin, State: d.State, Reason: d.Reason, AttemptCount: d.AttemptCount, Scheduled: d.Scheduled,
		Next: instantOf(d.NextAttemptAt), Finished: instantOf(d.FinishedAt), Rings: d.Rings,
		Last: packSome(d.Last, summaryFields), Lease: packSome(d.Lease, leaseFields), Owed: packSome(d.Owed, owedFields),
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
	return r, err
}

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
	if d.Last, err = unpackSome(r.Last, summaryFields); err != nil {
		return d, err
	}
	if d.Lease, err = unpackSome(r.Lease, leaseFields); err != nil {
		return d, err
	}
	d.Owed, err = unpackSome(r.Owed, owedFields)
	return d, err
}

// packSome packs what is not nil.
func packSome[T any](v *T, fields func(*packing, *T)) []byte {
	if v == nil {
		return nil
	}
	return pack(func(p *packing) { fields(p, v) })
}

func unpackSome[T any](data []byte, fields func(*packing, *T)) (*T, error) {
	if data == nil {
		return nil, nil
	}
	v := new(T)
	return v, unpack(data, func(p *packing) { fields(p, v) })
}

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

func owedFields(p *packing, o *delivery.Owed) {
	packText(p, &o.Trigger)
	packTime(p, &o.At)
}

// rowOf reads a row that has not expired; found is false for one that is not there.
func (s *Store) rowOf(stored item) (r row, found bool, err error) {
	if len(stored) == 0 {
		return r, false, nil
	}
	err = attributevalue.UnmarshalMap(stored, &r)
	return r, err == nil && !s.expired(r.TTL), err
}

// size is what DynamoDB counts for an item: the bytes of names and values; a number takes one byte for two digits
// and one more. Values of other kinds are not in rows.
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
