package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/store"
	"nepenthes/shared/tables"
	"nepenthes/shared/webhook"
)

// releaseJobItem is the stored form of a release job; see settingsItem.
type releaseJobItem struct {
	Webhook        string    `dynamodbav:"w"`
	LeaseUntil     time.Time `dynamodbav:"lease"`
	ReceivingSince time.Time `dynamodbav:"receiving"`
	PacedUntil     time.Time `dynamodbav:"paced"`
	Version        int64     `dynamodbav:"v"`
}

// releaseJobKey returns the key of the release job of a webhook. All jobs are in one partition, because the sweeper reads
// all of them every minute.
func releaseJobKey(webhookID string) item { return configKey(tables.JobsPart, webhookID+"/release") }

// newJob returns the write of the job of a paused webhook. It needs no condition: the transaction checks the version of
// the webhook, which decides the version of the job.
func (s *Store) newJob(w *webhook.Webhook) (write, error) {
	made, err := marshal(releaseJobItem(store.NewReleaseJob(w)), releaseJobKey(w.ID))
	return write{TransactWriteItem: types.TransactWriteItem{Put: &types.Put{TableName: &s.tables.Config, Item: made}}}, err
}

// ReleaseJobs implements store.Held.
func (s *Store) ReleaseJobs(ctx context.Context) (jobs []delivery.ReleaseJob, err error) {
	defer fault.Wrap(&err, "list release jobs")
	found, err := s.partition(ctx, tables.JobsPart)
	if err != nil {
		return nil, err
	}
	for _, stored := range found {
		j, err := unmarshal[releaseJobItem](stored, store.ReleaseJobKind, "")
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, delivery.ReleaseJob(j))
	}
	return jobs, nil
}

// PutReleaseJob implements store.Held.
func (s *Store) PutReleaseJob(ctx context.Context, j *delivery.ReleaseJob) (err error) {
	defer fault.Wrap(&err, "store the release job of %s", j.Webhook)
	if !canBeKey(j.Webhook) {
		return store.Missing(store.ReleaseJobKind, j.Webhook)
	}
	next := releaseJobItem(*j)
	next.Version++
	made, err := marshal(next, releaseJobKey(j.Webhook))
	if err != nil {
		return err
	}
	_, refused := versionedPut(s.tables.Config, store.ReleaseJobKind, j.Webhook, made)
	// The condition also holds back version 1: only PutWebhook creates a job.
	stored, lost, err := s.put(ctx, &dynamodb.PutItemInput{
		TableName: &s.tables.Config, Item: made,
		ConditionExpression: aws.String("v = :was"), ExpressionAttributeValues: item{":was": number(j.Version)},
	})
	if lost {
		err = refused(stored)
	}
	if err == nil {
		j.Version = next.Version
	}
	return err
}

// DeleteReleaseJob implements store.Held.
func (s *Store) DeleteReleaseJob(ctx context.Context, webhookID string, version int64) (err error) {
	defer fault.Wrap(&err, "delete the release job of %s", webhookID)
	if !canBeKey(webhookID) {
		return store.Missing(store.ReleaseJobKind, webhookID)
	}
	_, err = s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.tables.Config, Key: releaseJobKey(webhookID),
		ConditionExpression: aws.String("v = :was"), ExpressionAttributeValues: item{":was": number(version)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		return nil
	}
	stored, refused, err := refusal(err)
	switch {
	case !refused:
		return err
	case len(stored) == 0:
		return store.Missing(store.ReleaseJobKind, webhookID)
	}
	return store.Conflict(store.ReleaseJobKind)
}
