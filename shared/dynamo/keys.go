package dynamo

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/id"
	"nepenthes/shared/store"
	"nepenthes/shared/tables"
	"nepenthes/shared/webhook"
)

// text, blob and number return the attribute values of DynamoDB's three types that tables use.
func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func blob(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// keyPairSortPattern formats the number of a key pair as a sort key.
const keyPairSortPattern = "%06d"

// webhookShards is the number of partitions over which the webhooks are spread. One partition serves 3,000 read units a
// second. If all of 10,000 webhooks of 2 KB were in one partition, each cold start of a function would need more.
const webhookShards = 8

// configKey returns the key of an item of the config table.
func configKey(partition, sort string) item {
	return item{tables.Config.Partition.Name: text(partition), tables.Config.Sort.Name: text(sort)}
}

// canBeKey reports whether id can be a sort key, which has 1 to 1,024 bytes. A value whose id cannot be a sort key does
// not exist.
func canBeKey(id string) bool { return id != "" && len(id) <= 1024 }

// webhookShard returns the partition of a shard of webhooks.
func webhookShard(shard int) string { return tables.WebhooksPart + strconv.Itoa(shard) }

// webhookKey returns the key of the item of a webhook.
func webhookKey(webhookID string) item {
	return configKey(webhookShard(shardOf(webhookShards, []byte(webhookID))), webhookID)
}

// nameKey returns the key of the item by which a webhook reserves its name. The name is hashed, because a name of 255
// characters may fold to more bytes than a sort key can have.
func nameKey(name string) item {
	sum := sha256.Sum256([]byte(webhook.FoldName(name)))
	return configKey(tables.WebhookNames, base64.RawURLEncoding.EncodeToString(sum[:]))
}

// valueKey, counterKey and changeKey return keys of the state table. Their prefixes keep the three kinds apart.
func valueKey(key string) item   { return stateKey(tables.ValuesPart + key) }
func counterKey(key string) item { return stateKey(tables.CountersPart + key) }
func stateKey(key string) item   { return item{tables.State.Partition.Name: text(key)} }

func changeKey(version int64) item {
	return stateKey(tables.ChangeLogPart + strconv.FormatInt(version, 10))
}

// eventKey returns the key of an event (12 bytes) or of a part of a plan (18 bytes: the random id of the plan and a
// number).
func eventKey(key []byte) item { return item{tables.Events.Partition.Name: blob(key)} }

// planIDSize is the number of bytes of a plan's random id.
const planIDSize = 16

// planPartKey returns the key of a part of a plan.
func planPartKey(planID []byte, part int) item {
	return eventKey(binary.BigEndian.AppendUint16(bytes.Clone(planID), uint16(part)))
}

// Sizes in bytes of the parts of a delivery's key.
const (
	webhookSize  = len(ulid.ULID{})
	receivedSize = 6
	sortSize     = receivedSize + len(events.Key{})
	deadSize     = sortSize + webhookSize // of a sort key of the dead index
)

// deliveryKey returns the key of an item of the deliveries table: a row or an attempt.
func deliveryKey(partition, sort []byte) item {
	return item{tables.Deliveries.Partition.Name: blob(partition), tables.Deliveries.Sort.Name: blob(sort)}
}

// rowKey returns the key of a delivery's row.
func rowKey(k delivery.Key) (item, error) {
	partition, err := packWebhookID(k.Webhook)
	return deliveryKey(partition, sortKey(k)), err
}

// attemptsPartition returns the partition of the attempts that have no room in the row of k.
func attemptsPartition(k delivery.Key) ([]byte, error) {
	partition, err := packWebhookID(k.Webhook)
	return append(partition, sortKey(k)...), err
}

// attemptSort returns the sort key of an attempt, which sorts attempts by number. The id keeps apart the attempts that
// two holders of a delivery made under the same number; see putAttempt.
func attemptSort(a *delivery.Attempt) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(a.Number)), a.ID...)
}

// sortKey returns the sort key of a row: the time at which the event was received, in milliseconds, and the key of the
// event. Rows are thus sorted by age.
func sortKey(k delivery.Key) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(k.ReceivedMs))[8-receivedSize:]
	return append(b, k.Event[:]...)
}

// deadKey returns the sort key of a row in the dead index: the sort key of the row, followed by the webhook to make it
// unique.
func deadKey(k delivery.Key) ([]byte, error) {
	partition, err := packWebhookID(k.Webhook)
	return append(sortKey(k), partition...), err
}

// keyOf returns the key of the delivery whose row has this key.
func keyOf(partition, sort []byte) (k delivery.Key, err error) {
	if len(partition) != webhookSize || len(sort) != sortSize {
		return k, fmt.Errorf("%x, %x is not the key of a delivery", partition, sort)
	}
	k.Webhook = unpackWebhookID(partition)
	k.ReceivedMs = int64(binary.BigEndian.Uint64(append([]byte{0, 0}, sort[:receivedSize]...)))
	copy(k.Event[:], sort[receivedSize:])
	return k, nil
}

// packWebhookID returns the 16 bytes of a webhook's id. A text that is not such an id is a fault of kind NotFound.
func packWebhookID(webhookID string) ([]byte, error) {
	if !id.Valid(id.Webhook, webhookID) {
		return nil, store.Missing("webhook", webhookID)
	}
	u := ulid.MustParseStrict(webhookID[len(id.Webhook):])
	return u[:], nil
}

// unpackWebhookID reverses packWebhookID.
func unpackWebhookID(b []byte) string { return string(id.Webhook) + ulid.ULID(b).String() }

// shardOf returns the shard of a key. It spreads keys evenly over n shards.
func shardOf(n int, key ...[]byte) int {
	h := fnv.New32a()
	for _, part := range key {
		_, _ = h.Write(part)
	}
	return int(h.Sum32() % uint32(n))
}
