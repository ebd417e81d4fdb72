package dynamo

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/limits"
)

const (
	// unit is what a write unit pays for.
	unit = 1024
	// attemptsHere is how many attempts a row may hold. An update is billed by the whole row.
	attemptsHere = 2
)

// attemptItem is an attempt beside its delivery's row.
type attemptItem struct {
	Attempt []byte `dynamodbav:"b"`
	TTL     int64  `dynamodbav:"t"`
}

// placed says where the attempt of a write went.
type placed uint8

const (
	nowhere placed = iota
	inRow
	madeBeside  // an item of its own, which this write made
	foundBeside // the same, which was there already: the write is repeated
)

// place finds room for an attempt that ended: in the row while that stays within one write unit, else beside it.
func (s *Store) place(ctx context.Context, d *delivery.Delivery, c *rowChange, ended *delivery.Attempt) (placed, error) {
	if ended == nil {
		return nowhere, nil
	}
	c.set["an"] = number(int64(ended.Number))
	c.remove = without(c.remove, "an")
	name, packed := attemptName(ended), packAttempt(ended)
	room := unit - size(c.key) - size(c.set) - len(name)
	switch ended.Number {
	case 1:
		if len(packed) > room {
			return s.putAttempt(ctx, d, ended)
		}
	case attemptsHere:
		// What the first attempt takes is known to the row alone, so the condition asks it. An attempt that is
		// longer than half the room is not even tried: the first was probably like it.
		if len(packed) > room/2 {
			return s.putAttempt(ctx, d, ended)
		}
		if d.Version > 0 {
			c.condition += " AND (attribute_not_exists(a1) OR size(a1) <= :room)"
			c.values[":room"] = number(int64(room - len(packed) - len("a1")))
		}
	default:
		return s.putAttempt(ctx, d, ended)
	}
	c.set[name] = blob(packed)
	c.remove = without(c.remove, name)
	return inRow, nil
}

// takeOut takes an attempt out of the change again, with the condition that there be room for it.
func (c *rowChange) takeOut(ended *delivery.Attempt) {
	delete(c.set, attemptName(ended))
	delete(c.values, ":room")
	c.condition = "v = :was AND t > :now"
}

func attemptName(a *delivery.Attempt) string { return "a" + strconv.Itoa(a.Number) }

func without(names []string, name string) []string {
	return slices.DeleteFunc(names, func(n string) bool { return n == name })
}

// putAttempt writes an attempt beside its row, before the row. If the writer dies in between, or stays away until
// somebody else has taken the delivery over, the attempt is there and not recorded; the next attempt has the same
// number and a later id, see recorded.
func (s *Store) putAttempt(ctx context.Context, d *delivery.Delivery, a *delivery.Attempt) (placed, error) {
	key, err := attemptKey(d.Key, a)
	if err != nil {
		return nowhere, err
	}
	put, err := marshal(attemptItem{packAttempt(a), expiry(d.ExpiresAt)}, key)
	if err != nil {
		return nowhere, err
	}
	before, _, err := s.put(ctx, &dynamodb.PutItemInput{
		TableName: &s.tables.Deliveries, Item: put, ReturnValues: types.ReturnValueAllOld,
	})
	if len(before) > 0 {
		return foundBeside, err
	}
	return madeBeside, err
}

// dropAttempt takes away an attempt whose row somebody else has written.
func (s *Store) dropAttempt(ctx context.Context, d *delivery.Delivery, a *delivery.Attempt) error {
	key, err := attemptKey(d.Key, a)
	if err != nil {
		return err
	}
	return s.delete(ctx, s.tables.Deliveries, key)
}

func attemptKey(k delivery.Key, a *delivery.Attempt) (item, error) {
	partition, err := attemptsPartition(k)
	return deliveryKey(partition, attemptSort(a)), err
}

// Attempts implements store.Deliveries.
func (s *Store) Attempts(ctx context.Context, key delivery.Key) (attempts []delivery.Attempt, err error) {
	defer fault.Wrap(&err, "read the attempts of event %s to %s", hex.EncodeToString(key.Event[:]), key.Webhook)
	r, found, err := s.row(ctx, key)
	if err != nil || !found {
		return nil, err
	}
	var packed [][]byte
	for _, here := range [][]byte{r.First, r.Second} {
		if here != nil {
			packed = append(packed, here)
		}
	}
	if int(r.Recorded) > len(packed) {
		beside, err := s.attemptsBeside(ctx, key)
		if err != nil {
			return nil, err
		}
		packed = append(packed, beside...)
	}
	for _, one := range packed {
		var a delivery.Attempt
		if err := unpack(one, func(p *packing) { attemptFields(p, &a) }); err != nil {
			return nil, err
		}
		attempts = append(attempts, a)
	}
	return recorded(attempts, int(r.Recorded)), nil
}

// attemptsBeside reads the newest attempts that are not in the row, and as many again for those that nobody recorded.
func (s *Store) attemptsBeside(ctx context.Context, key delivery.Key) (packed [][]byte, err error) {
	partition, err := attemptsPartition(key)
	if err != nil {
		return nil, err
	}
	found, err := s.query(ctx, &dynamodb.QueryInput{
		TableName: &s.tables.Deliveries, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(false),
		KeyConditionExpression: aws.String("p = :p"), ExpressionAttributeValues: item{":p": blob(partition)},
	}, 2*limits.AttemptsMax)
	for _, stored := range found {
		var a attemptItem
		if err := attributevalue.UnmarshalMap(stored, &a); err != nil {
			return nil, err
		}
		packed = append(packed, a.Attempt)
	}
	return packed, err
}

// recorded sorts attempts by number and keeps the newest. Of two with one number the later counts: the earlier is
// of a holder that died before it was recorded, or came too late. So is one with a number that is not reached.
func recorded(attempts []delivery.Attempt, newest int) []delivery.Attempt {
	attempts = slices.DeleteFunc(attempts, func(a delivery.Attempt) bool { return a.Number > newest })
	slices.SortFunc(attempts, func(a, b delivery.Attempt) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), -cmp.Compare(a.ID, b.ID))
	})
	attempts = slices.CompactFunc(attempts, func(a, b delivery.Attempt) bool { return a.Number == b.Number })
	return attempts[max(0, len(attempts)-limits.AttemptsMax):]
}

func packAttempt(a *delivery.Attempt) []byte { return pack(func(p *packing) { attemptFields(p, a) }) }

// attemptFields are the members of an attempt, in the order in which they are stored for ever.
func attemptFields(p *packing, a *delivery.Attempt) {
	packText(p, &a.ID)
	packNumber(p, &a.Number)
	packText(p, &a.Trigger)
	packText(p, &a.Outcome)
	packTime(p, &a.StartedAt)
	packText(p, &a.URL)
	packText(p, &a.Format)
	packFlag(p, &a.Signed)
	packFlag(p, &a.Legacy)
	packTexts(p, &a.HeaderNames)
	packNumber(p, &a.Timing.DNS)
	packNumber(p, &a.Timing.Connect)
	packNumber(p, &a.Timing.TLS)
	packNumber(p, &a.Timing.FirstByte)
	packNumber(p, &a.Timing.Total)
	packOptional(p, &a.Response, func(p *packing, r *delivery.Response) {
		packNumber(p, &r.Status)
		packHeaders(p, &r.Headers)
		packText(p, &r.Body)
		packFlag(p, &r.Truncated)
	})
	packText(p, &a.ErrorClass)
	packText(p, &a.ErrorMessage)
}
