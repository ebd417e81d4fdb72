package dynamo

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"nepenthes/shared/fault"
	"nepenthes/shared/store"
	"nepenthes/shared/webhook"
)

const webhookKind = "webhook"

// webhookItem is the stored form of a webhook; see settingsItem.
type webhookItem struct {
	ID              string               `dynamodbav:"s"`
	Name            string               `dynamodbav:"name"`
	PayloadURL      string               `dynamodbav:"url"`
	Description     string               `dynamodbav:"description"`
	Enabled         bool                 `dynamodbav:"enabled"`
	DisabledReason  webhook.Reason       `dynamodbav:"reason"`
	Paused          bool                 `dynamodbav:"paused"`
	Release         webhook.Release      `dynamodbav:"release"`
	Subscription    webhook.Subscription `dynamodbav:"subscription"`
	PayloadFormat   webhook.Format       `dynamodbav:"format"`
	LegacySignature bool                 `dynamodbav:"legacy"`
	Headers         []webhook.Header     `dynamodbav:"headers"`
	Timeout         time.Duration        `dynamodbav:"timeout"`
	RetrySchedule   webhook.ScheduleName `dynamodbav:"schedule"`
	Secrets         []webhook.Secret     `dynamodbav:"secrets"`
	StatusSince     time.Time            `dynamodbav:"since"`
	LockVersion     int64                `dynamodbav:"v"`
	CreatedAt       time.Time            `dynamodbav:"createdAt"`
	UpdatedAt       time.Time            `dynamodbav:"updatedAt"`
}

// webhooksRead is the largest number of webhooks that one request reads. A full page of 1 MB takes about ten times as
// much memory while it is read, and all shards are read in parallel.
const webhooksRead = 100

// Webhooks implements store.Catalogue.
func (s *Store) Webhooks(ctx context.Context, take func(webhook.Webhook)) (err error) {
	defer fault.Wrap(&err, "list webhooks")
	var turn sync.Mutex // held while take is called
	var group errgroup.Group
	group.SetLimit(parallelRequests)
	for shard := range webhookShards {
		group.Go(func() error {
			return s.eachItem(ctx, webhookShard(shard), func(stored item) error {
				w, err := unmarshal[webhookItem](stored, webhookKind, "")
				if err != nil {
					return err
				}
				turn.Lock()
				defer turn.Unlock()
				take(webhook.Webhook(w))
				return nil
			})
		})
	}
	return group.Wait()
}

// eachItem reads a partition of the config table, a few items at a time, and calls take for each item.
func (s *Store) eachItem(ctx context.Context, partition string, take func(item) error) error {
	input := s.partitionQuery(partition)
	input.Limit = aws.Int32(webhooksRead)
	for pages := dynamodb.NewQueryPaginator(s.client, input); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return classify(err)
		}
		for _, stored := range page.Items {
			if err := take(stored); err != nil {
				return err
			}
		}
	}
	return nil
}

// Webhook implements store.Catalogue.
func (s *Store) Webhook(ctx context.Context, id string) (_ webhook.Webhook, err error) {
	defer fault.Wrap(&err, "read webhook %s", id)
	w, _, err := s.webhook(ctx, id)
	return w, err
}

// webhook reads a webhook. It returns the webhook and its item.
func (s *Store) webhook(ctx context.Context, id string) (webhook.Webhook, item, error) {
	w, stored, err := readItem[webhookItem](ctx, s, webhookKind, id, webhookKey(id))
	return webhook.Webhook(w), stored, err
}

// PutWebhook implements store.Catalogue.
func (s *Store) PutWebhook(ctx context.Context, w *webhook.Webhook) (err error) {
	defer fault.Wrap(&err, "store webhook %s", w.ID)
	next := webhookItem(*w)
	next.LockVersion++
	made, err := marshal(next, webhookKey(w.ID))
	if err != nil {
		return err
	}
	err = s.change(ctx, w.ID, func(ctx context.Context) ([]write, error) {
		put, refused := versionedPut(s.tables.Config, webhookKind, w.ID, made)
		writes := []write{{types.TransactWriteItem{Put: put}, refused}}
		if next.Paused {
			paused := webhook.Webhook(next)
			job, err := s.newJob(&paused)
			if err != nil {
				return nil, err
			}
			writes = append(writes, job)
		}
		if next.LockVersion == 1 {
			return append(writes, s.takeName(w.Name, w.ID)), nil
		}
		was, stored, err := s.webhook(ctx, w.ID)
		if err != nil || reflect.DeepEqual(stored, made) {
			return nil, err
		}
		if webhook.FoldName(was.Name) != webhook.FoldName(w.Name) {
			writes = append(writes, s.takeName(w.Name, w.ID), s.dropName(was.Name))
		}
		return writes, nil
	})
	if err == nil {
		w.LockVersion = next.LockVersion
	}
	return err
}

// takeName returns the write that reserves a name for a webhook. It is refused if another webhook has the name.
func (s *Store) takeName(name, webhookID string) write {
	// The condition allows the same webhook, because a repetition finds the name reserved already.
	holder := nameKey(name)
	holder["w"] = text(webhookID)
	return write{types.TransactWriteItem{Put: &types.Put{
		TableName: &s.tables.Config, Item: holder,
		ConditionExpression:       aws.String("attribute_not_exists(p) OR w = :w"),
		ExpressionAttributeValues: item{":w": text(webhookID)},
	}}, func(item) error {
		return fault.Invalid(fault.Detail{
			Attribute: "name", Message: "Another webhook has this name.",
			Hint: "Choose a name that differs in more than upper and lower case.",
		})
	}}
}

// dropName returns the write that frees a name. It needs no condition: the transaction checks the version of the
// webhook that has the name.
func (s *Store) dropName(name string) write {
	return write{TransactWriteItem: types.TransactWriteItem{Delete: &types.Delete{TableName: &s.tables.Config, Key: nameKey(name)}}}
}

// DeleteWebhook implements store.Catalogue.
func (s *Store) DeleteWebhook(ctx context.Context, id string, lockVersion int64) (err error) {
	defer fault.Wrap(&err, "delete webhook %s", id)
	return s.change(ctx, id, func(ctx context.Context) ([]write, error) {
		was, _, err := s.webhook(ctx, id)
		if err != nil {
			return nil, err
		}
		if lockVersion != 0 && lockVersion != was.LockVersion {
			return nil, store.Conflict(webhookKind)
		}
		// If the version has changed since it was read, everything is read again.
		return []write{{types.TransactWriteItem{Delete: &types.Delete{
			TableName: &s.tables.Config, Key: webhookKey(id),
			ConditionExpression: aws.String("v = :was"), ExpressionAttributeValues: item{":was": number(was.LockVersion)},
		}}, func(item) error { return errAgain }}, s.dropName(was.Name)}, nil
	})
}

// partition reads all items of a partition of the config table.
func (s *Store) partition(ctx context.Context, partition string) ([]item, error) {
	return s.query(ctx, s.partitionQuery(partition), 0)
}

// partitionQuery returns the query for a partition of the config table.
func (s *Store) partitionQuery(partition string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName: &s.tables.Config, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("p = :p"), ExpressionAttributeValues: item{":p": text(partition)},
	}
}
