package dynamo

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"nepenthes/events"
	"nepenthes/shared/fault"
)

const (
	// planInEvent is the length of the longest plan that is kept in the item of its event. Every sender reads that
	// item. With a plan of 10,000 webhooks (160 KB) a read would cost 40 units instead of one, all in one partition. A
	// plan of 100 webhooks takes 1.6 KB, which leaves 2.4 KB of a read unit to the event. Except for rounding, a longer
	// plan costs as many write units in items of its own.
	planInEvent = 100
	// planPart is the number of webhooks in one item of a longer plan: 16 KB, or four read units.
	planPart = 1000
)

// planItem is a part of a plan.
type planItem struct {
	Key  []byte `dynamodbav:"k"`
	Plan []byte `dynamodbav:"w"`
	TTL  int64  `dynamodbav:"t"`
}

// packPlan returns the ULIDs of the webhooks, one after another. Ids in text form would take almost twice the room.
func packPlan(plan []string) ([]byte, error) {
	packed := make([]byte, 0, webhookSize*len(plan))
	for _, webhookID := range plan {
		entry, err := packWebhookID(webhookID)
		if err != nil {
			return nil, err
		}
		packed = append(packed, entry...)
	}
	return packed, nil
}

// unpackPlan reverses packPlan.
func unpackPlan(packed []byte) []string {
	plan := make([]string, 0, len(packed)/webhookSize)
	for ; len(packed) >= webhookSize; packed = packed[webhookSize:] {
		plan = append(plan, unpackWebhookID(packed[:webhookSize]))
	}
	return plan
}

// putPlan writes the parts of a plan.
func (s *Store) putPlan(ctx context.Context, planID, packed []byte, ttl int64) error {
	parts := slices.Collect(slices.Chunk(packed, planPart*webhookSize))
	_, err := gather(len(parts), func(i int) ([]item, error) {
		part, err := marshal(planItem{Plan: parts[i], TTL: ttl}, planPartKey(planID, i))
		if err == nil {
			_, _, err = s.put(ctx, &dynamodb.PutItemInput{TableName: &s.tables.Events, Item: part})
		}
		return nil, err
	})
	return err
}

// Plan implements store.Events.
func (s *Store) Plan(ctx context.Context, key events.Key, offset, limit int) (plan []string, err error) {
	defer fault.Wrap(&err, "read the plan of event %x", key)
	i, _, err := s.event(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.plan(ctx, i, offset, limit)
}

// Planned implements store.Events.
func (s *Store) Planned(ctx context.Context, key events.Key, webhookID string) (planned bool, err error) {
	defer fault.Wrap(&err, "look for %s in the plan of event %x", webhookID, key)
	i, _, err := s.event(ctx, key)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	wanted, err := packWebhookID(webhookID)
	if err != nil {
		return false, nil // a text that is not the id of a webhook is in no plan
	}
	packed, err := s.packedPlan(ctx, i, 0, i.MatchCount)
	for ; len(packed) >= webhookSize && !planned; packed = packed[webhookSize:] {
		planned = bytes.Equal(packed[:webhookSize], wanted)
	}
	return planned, err
}

// plan reads up to limit entries of the plan of an event, beginning with entry offset.
func (s *Store) plan(ctx context.Context, i eventItem, offset, limit int) ([]string, error) {
	packed, err := s.packedPlan(ctx, i, offset, limit)
	return unpackPlan(packed), err
}

// packedPlan reads up to limit entries of a plan, beginning with entry offset.
func (s *Store) packedPlan(ctx context.Context, i eventItem, offset, limit int) ([]byte, error) {
	if offset >= i.MatchCount || limit <= 0 {
		return nil, nil
	}
	from, to := offset, offset+min(limit, i.MatchCount-offset)
	packed, first := i.Plan, 0
	if i.PlanID != nil {
		first = from / planPart
		var err error
		if packed, err = s.planParts(ctx, i.PlanID, first, (to-1)/planPart); err != nil {
			return nil, err
		}
	}
	low, high := (from-first*planPart)*webhookSize, (to-first*planPart)*webhookSize
	if high > len(packed) {
		return nil, fmt.Errorf("the plan ends before entry %d of %d", to, i.MatchCount)
	}
	return packed[low:high], nil
}

// planParts reads the parts of a plan from number from to number to, both inclusive.
func (s *Store) planParts(ctx context.Context, planID []byte, from, to int) ([]byte, error) {
	return gather(to-from+1, func(i int) ([]byte, error) {
		stored, err := s.get(ctx, s.tables.Events, planPartKey(planID, from+i))
		if err != nil {
			return nil, err
		}
		var part planItem
		err = attributevalue.UnmarshalMap(stored, &part)
		return part.Plan, err
	})
}
