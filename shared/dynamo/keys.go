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
	"nepenthes/shared/tables"
	"nepenthes/shared/webhook"
)

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func blob(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// keyPairSortPattern is how the number of a key pair is its sort key.
const keyPairSortPattern = "%06d"

// webhookShards is over how many partitions the webhooks are spread. A partition gives 3,000 read units a second:
// with 10,000 webhooks of 2 KB each cold start of a function would take more than that from a single one.
const webhookShards = 8

func configKey(partition, sort string) item {
	return item{tables.Config.Partition.Name: text(partition), tables.Config.Sort.Name: text(sort)}
}

// canBeKey reports whether id can be a sort key, which has 1 to 1,024 bytes: nothing else is an id of anything.
func canBeKey(id string) bool { return id != "" && len(id) <= 1024 }

func webhookShard(shard int) string { return tables.WebhooksPart + strconv.Itoa(shard) }

func webhookKey(webhookID string) item {
	return configKey(webhookShard(shardOf(webhookShards, []byte(webhookID))), webhookID)
}

// nameKey is the key of the item by which a webhook holds its name. Hashed, since a name of 255 characters can
// fold to more bytes than a sort key may have.
func nameKey(name string) item {
	sum := sha256.Sum256([]byte(webhook.FoldName(name)))
	return configKey(tables.WebhookNames, base64.RawURLEncoding.EncodeToString(sum[:]))
}

// Keys of the state table.
func valueKey(key string) item   { return stateKey(tables.ValuesPart + key) }
func counterKey(key string) item { return stateKey(tables.CountersPart + key) }
func stateKey(key string) item   { return item{tables.State.Partition.Name: text(key)} }

func changeKey(version int64) item {
	return stateKey(tables.ChangeLogPart + strconv.FormatInt(version, 10))
}

// eventKey is the key of an event (12 bytes) or of a part of a plan (18 bytes: the plan's random id and a number).
func eventKey(key []byte) item { return item{tables.Events.Partition.Name: blob(key)} }

// planIDSize is the size of a plan's random id.
const planIDSize = 16

func planPartKey(planID []byte, part int) item {
	return eventKey(binary.BigEndian.AppendUint16(bytes.Clone(planID), uint16(part)))
}

// Sizes of the parts of a delivery's key.
const (
	webhookSize  = len(ulid.ULID{})
	receivedSize = 6
	sortSize     = receivedSize + len(events.Key{})
	deadSize     = sortSize + webhookSize // of a key of the index of the dead
)

func deliveryKey(partition, sort []byte) item {
	return item{tables.Deliveries.Partition.Name: blob(partition), tables.Deliveries.Sort.Name: blob(sort)}
}

// rowKey is the key of a delivery's row.
func rowKey(k delivery.Key) (item, error) {
	partition, err := packWebhookID(k.Webhook)
	return deliveryKey(partition, sortKey(k)), err
}

// attemptsPartition holds the attempts of a delivery that found no room in its row.
func attemptsPartition(k delivery.Key) ([]byte, error) {
	partition, err := packWebhookID(k.Webhook)
	return append(partition, sortKey(k)...), err
}

// attemptSort sorts attempts by number. Its id keeps apart what two holders of one delivery recorded under one
// number, see putAttempt.
func attemptSort(a *delivery.Attempt) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(a.Number)), a.ID...)
}

// sortKey is when the event was received, in milliseconds, and the event's key: rows sort by age.
func sortKey(k delivery.Key) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(k.ReceivedMs))[8-receivedSize:]
	return append(b, k.Event[:]...)
}

// deadKey is the sort key of the index of the dead: like a row's, and then the webhook, so that no two are equal.
func deadKey(k delivery.Key) ([]byte, error) {
	partition, err := packWebhookID(k.Webhook)
	return append(sortKey(k), partition...), err
}

// keyOf turns a row's key back into the delivery's.
func keyOf(partition, sort []byte) (k delivery.Key, err error) {
	if len(partition) != webhookSize || len(sort) != sortSize {
		return k, fmt.Errorf("%x, %x is no delivery's key", partition, sort)
	}
	k.Webhook = unpackWebhookID(partition)
	k.ReceivedMs = int64(binary.BigEndian.Uint64(append([]byte{0, 0}, sort[:receivedSize]...)))
	copy(k.Event[:], sort[receivedSize:])
	return k, nil
}

func packWebhookID(webhookID string) ([]byte, error) {
	if !id.Valid(id.Webhook, webhookID) {
		return nil, missing("webhook", webhookID)
	}
	u := ulid.MustParseStrict(webhookID[len(id.Webhook):])
	return u[:], nil
}

func unpackWebhookID(b []byte) string { return string(id.Webhook) + ulid.ULID(b).String() }

// shardOf spreads keys evenly over n shards.
func shardOf(n int, key ...[]byte) int {
	h := fnv.New32a()
	for _, part := range key {
		_, _ = h.Write(part)
	}
	return int(h.Sum32() % uint32(n))
}
