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
	// writeUnit is the number of bytes that one write unit pays for.
	writeUnit = 1024
	// attemptsInRow is the largest number of attempts in a row. It is small because DynamoDB charges every update of a
	// row by the size of the whole row.
	attemptsInRow = 2
)

// attemptItem is an attempt that is stored as an item of its own, beside the row of its delivery.
type attemptItem struct {
	Attempt []byte `dynamodbav:"b"`
	TTL     int64  `dynamodbav:"t"`
}

// placement says where a write put its attempt.
type placement uint8

const (
	noAttempt placement = iota
	inRow
	addedBeside // an item of its own, which this write added
	foundBeside // an item of its own, which existed: the write is repeated
)

// place puts the attempt that ended, if any, into the row as long as the row then fits into one write unit. Otherwise
// it writes the attempt beside the row.
func (s *Store) place(ctx context.Context, d *delivery.Delivery, c *rowChange, ended *delivery.Attempt) (placement, error) {
	if ended == nil {
		return noAttempt, nil
	}
	// A new row removes the attempts of an expired predecessor, but not the attributes that this write sets.
	c.set["an"] = number(int64(ended.Number))
	c.remove = without(c.remove, "an")
	name, packed := attemptName(ended), packAttempt(ended)
	// The attempt may take what the rest of the row leaves of one write unit.
	room := writeUnit - size(c.key) - size(c.set) - len(name)
	switch ended.Number {
	case 1:
		if len(packed) > room {
			return s.putAttempt(ctx, d, ended)
		}
	case attemptsInRow:
		// Only the row knows the size of the first attempt, so the condition compares it. An attempt that takes more
		// than half of the room is not tried, because the first attempt probably has about the same size.
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

// removeAttempt removes the attempt from the change, together with the condition that the row has room for it.
func (c *rowChange) removeAttempt(ended *delivery.Attempt) {
	delete(c.set, attemptName(ended))
	delete(c.values, ":room")
	c.condition = "v = :was AND t > :now"
}

// attemptName returns the name of the attribute of the row that holds a.
func attemptName(a *delivery.Attempt) string { return "a" + strconv.Itoa(a.Number) }

// without returns names without name.
func without(names []string, name string) []string {
	return slices.DeleteFunc(names, func(n string) bool { return n == name })
}

// putAttempt writes an attempt beside the row, before the row is written. If the writer then dies, or loses the
// delivery to another holder, the attempt is stored but not recorded. The next attempt has the same number and a later
// id; newestRecorded keeps that one.
func (s *Store) putAttempt(ctx context.Context, d *delivery.Delivery, a *delivery.Attempt) (placement, error) {
	key, err := attemptKey(d.Key, a)
	if err != nil {
		return noAttempt, err
	}
	put, err := marshal(attemptItem{packAttempt(a), expiry(d.ExpiresAt)}, key)
	if err != nil {
		return noAttempt, err
	}
	// An item that is replaced shows that this write is a repetition. The attempt of a repetition must not be deleted,
	// even if the row is lost, because the first write may have won.
	before, _, err := s.put(ctx, &dynamodb.PutItemInput{
		TableName: &s.tables.Deliveries, Item: put, ReturnValues: types.ReturnValueAllOld,
	})
	if len(before) > 0 {
		return foundBeside, err
	}
	return addedBeside, err
}

// deleteAttempt deletes the attempt of a writer that lost the row to another writer.
func (s *Store) deleteAttempt(ctx context.Context, d *delivery.Delivery, a *delivery.Attempt) error {
	key, err := attemptKey(d.Key, a)
	if err != nil {
		return err
	}
	return s.delete(ctx, s.tables.Deliveries, key)
}

// attemptKey returns the key of the item of an attempt that is not in the row of k.
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
	for _, inRow := range [][]byte{r.First, r.Second} {
		if inRow != nil {
			packed = append(packed, inRow)
		}
	}
	// The attempts in the row are always the first ones, so the others are needed only if more are recorded.
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
	return newestRecorded(attempts, int(r.Recorded)), nil
}

// attemptsBeside reads the newest attempts that are not in the row. It reads twice as many as it needs, because some
// may not be recorded.
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

// newestRecorded sorts attempts by number and returns the last limits.AttemptsMax. It leaves out attempts with numbers
// above newest. Of two attempts with the same number it keeps the one with the later id. The writers of the others died
// or lost before they could record them.
func newestRecorded(attempts []delivery.Attempt, newest int) []delivery.Attempt {
	attempts = slices.DeleteFunc(attempts, func(a delivery.Attempt) bool { return a.Number > newest })
	slices.SortFunc(attempts, func(a, b delivery.Attempt) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), -cmp.Compare(a.ID, b.ID))
	})
	attempts = slices.CompactFunc(attempts, func(a, b delivery.Attempt) bool { return a.Number == b.Number })
	return attempts[max(0, len(attempts)-limits.AttemptsMax):]
}

// packAttempt returns the packed form of a.
func packAttempt(a *delivery.Attempt) []byte { return pack(func(p *packing) { attemptFields(p, a) }) }

// attemptFields packs or unpacks the fields of an attempt. Stored items rely on their order, so it never changes.
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
