package dynamo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"nepenthes/events"
	"nepenthes/shared/fault"
	"nepenthes/shared/limits"
	"nepenthes/shared/record"
	"nepenthes/shared/store"
)

// eventItem is the stored form of an event. It holds the plan of the event, or the id under which the plan is stored.
type eventItem struct {
	Key []byte `dynamodbav:"k"`
	// Event is the event, packed.
	Event []byte `dynamodbav:"b"`
	// Plan is the packed plan, if it has at most planInEvent webhooks. A longer plan is stored in items of its own,
	// under PlanID.
	Plan       []byte `dynamodbav:"w,omitempty"`
	PlanID     []byte `dynamodbav:"x,omitempty"`
	MatchCount int    `dynamodbav:"m,omitempty"`
	TTL        int64  `dynamodbav:"t"`
}

// PutEvent implements store.Events. If the response to its write was lost, created is false although this call recorded
// the event. The returned event and plan are right even then.
func (s *Store) PutEvent(ctx context.Context, r record.Event, plan []string) (
	stored record.Event, storedPlan []string, created bool, err error,
) {
	defer fault.Wrap(&err, "record event %s of %s", r.ID, r.Source)
	r.MatchCount = len(plan)
	made, err := s.eventItem(ctx, &r, plan)
	if err != nil {
		return r, nil, false, err
	}
	put, err := marshal(made, nil)
	if err != nil {
		return r, nil, false, err
	}
	found, refused, err := s.put(ctx, &dynamodb.PutItemInput{
		TableName: &s.tables.Events, Item: put,
		ConditionExpression: aws.String(absentCondition("k")), ExpressionAttributeValues: item{":now": s.nowSeconds()},
	})
	if err != nil || !refused {
		return r, plan, true, err
	}
	// The event exists. Its stored plan is the one that counts, even if the catalogue has changed since.
	was, stored, err := unpackEvent(found)
	if err != nil {
		return r, nil, false, err
	}
	// The key is a short hash, so another event might have the same key. That must never be taken for a repetition.
	if stored.Source != r.Source || stored.ID != r.ID {
		return r, nil, false, fmt.Errorf("key %x belongs to event %s of %s", r.Key(), stored.ID, stored.Source)
	}
	storedPlan, err = s.plan(ctx, was, 0, was.MatchCount)
	return stored, storedPlan, false, err
}

// eventItem returns the item of an event. It first writes a plan that is too long for the item. That plan counts only
// when the item is stored. If the item is never stored, the plan expires like an event.
func (s *Store) eventItem(ctx context.Context, r *record.Event, plan []string) (made eventItem, err error) {
	if len(plan) > limits.MatchesMax {
		return made, fmt.Errorf("the plan has %d webhooks, more than %d", len(plan), limits.MatchesMax)
	}
	packed, err := packPlan(plan)
	if err != nil {
		return made, err
	}
	key := r.Key()
	made = eventItem{
		Key: key[:], Event: pack(func(p *packing) { eventFields(p, r) }),
		Plan: packed, MatchCount: len(plan), TTL: expiry(r.ExpiresAt),
	}
	if len(plan) > planInEvent {
		made.Plan, made.PlanID = nil, make([]byte, planIDSize)
		_, _ = rand.Read(made.PlanID) // never fails
		err = s.putPlan(ctx, made.PlanID, packed, made.TTL)
	}
	return made, err
}

// Event implements store.Events.
func (s *Store) Event(ctx context.Context, key events.Key) (r record.Event, err error) {
	defer fault.Wrap(&err, "read event %x", key)
	_, r, err = s.event(ctx, key)
	return r, err
}

// event reads an event and its item. An event that does not exist or has expired is a fault of kind NotFound.
func (s *Store) event(ctx context.Context, key events.Key) (i eventItem, r record.Event, err error) {
	stored, err := s.get(ctx, s.tables.Events, eventKey(key[:]))
	if err != nil {
		return i, r, err
	}
	if i, r, err = unpackEvent(stored); err == nil && s.expired(i.TTL) {
		err = store.Missing(eventKind, hex.EncodeToString(key[:]))
	}
	return i, r, err
}

const eventKind = "event"

// unpackEvent returns an item and the event that is packed in it. If there is no item, it returns a fault of kind NotFound.
func unpackEvent(stored item) (i eventItem, r record.Event, err error) {
	if i, err = unmarshal[eventItem](stored, eventKind, ""); err != nil {
		return i, r, err
	}
	err = unpack(i.Event, func(p *packing) { eventFields(p, &r) })
	r.MatchCount = i.MatchCount
	return i, r, err
}

// eventFields packs or unpacks the fields of an event. Stored items rely on their order, so it never changes.
func eventFields(p *packing, r *record.Event) {
	packText(p, &r.ID)
	packText(p, &r.Source)
	packText(p, &r.Type)
	packText(p, &r.OccurredAt)
	packOptional(p, &r.Project, func(p *packing, project *events.Project) {
		packText(p, &project.ID)
		packText(p, &project.Identifier)
		packText(p, &project.Name)
	})
	packOptional(p, &r.Actor, func(p *packing, actor *events.Actor) {
		packText(p, &actor.ID)
		packText(p, &actor.Name)
	})
	packText(p, &r.Trigger)
	packText(p, &r.TraceID)
	packTime(p, &r.ReceivedAt)
	packTime(p, &r.ExpiresAt)
	packText(p, &r.Data)
}
