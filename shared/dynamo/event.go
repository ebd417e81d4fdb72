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
)

// eventItem is an event with its plan, or with where its plan is.
type eventItem struct {
	Key []byte `dynamodbav:"k"`
	// Event is the event, packed.
	Event []byte `dynamodbav:"b"`
	// Plan is the packed plan of planHere webhooks or less. A longer one is elsewhere, under PlanID.
	Plan       []byte `dynamodbav:"w,omitempty"`
	PlanID     []byte `dynamodbav:"x,omitempty"`
	MatchCount int    `dynamodbav:"m,omitempty"`
	TTL        int64  `dynamodbav:"t"`
}

// PutEvent implements store.Events. After a lost answer created is false for an event that this very call
// has recorded; what is stored and its plan are told rightly.
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
		ConditionExpression: aws.String(absent("k")), ExpressionAttributeValues: item{":now": s.nowSeconds()},
	})
	if err != nil || !refused {
		return r, plan, true, err
	}
	was, stored, err := unpackEvent(found)
	if err != nil {
		return r, nil, false, err
	}
	if stored.Source != r.Source || stored.ID != r.ID {
		return r, nil, false, fmt.Errorf("its key %x is that of event %s of %s", r.Key(), stored.ID, stored.Source)
	}
	storedPlan, err = s.plan(ctx, was, 0, was.MatchCount)
	return stored, storedPlan, false, err
}

// eventItem makes the item of an event. A plan that is too long for it is written first: the item alone makes
// that count, and if it never comes, or loses its condition, what was written expires like any event.
func (s *Store) eventItem(ctx context.Context, r *record.Event, plan []string) (made eventItem, err error) {
	if len(plan) > limits.MatchesMax {
		return made, fmt.Errorf("a plan of %d webhooks, of at most %d", len(plan), limits.MatchesMax)
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
	if len(plan) > planHere {
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

func (s *Store) event(ctx context.Context, key events.Key) (i eventItem, r record.Event, err error) {
	stored, err := s.get(ctx, s.tables.Events, eventKey(key[:]))
	if err != nil {
		return i, r, err
	}
	if i, r, err = unpackEvent(stored); err == nil && s.expired(i.TTL) {
		err = missing(eventKind, hex.EncodeToString(key[:]))
	}
	return i, r, err
}

const eventKind = "event"

func unpackEvent(stored item) (i eventItem, r record.Event, err error) {
	if i, err = unmarshal[eventItem](stored, eventKind, ""); err != nil {
		return i, r, err
	}
	err = unpack(i.Event, func(p *packing) { eventFields(p, &r) })
	r.MatchCount = i.MatchCount
	return i, r, err
}

// eventFields are the packed members of an event, in the order in which they are stored for ever.
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
