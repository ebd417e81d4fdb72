package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/fault"
	"nepenthes/shared/store"
	"nepenthes/shared/tables"
)

const (
	// maxChanges is the largest number of changes that Changes returns. A reader that is further behind is faster if it
	// reads the whole catalogue.
	maxChanges = 1000
	// changeLifetime is how long an entry of the change log is kept. No reader of the log pauses that long.
	changeLifetime = 7 * 24 * time.Hour
)

// head is the item that counts the versions of a list: the catalogue or the clients.
type head struct {
	Version int64 `dynamodbav:"v"`
	// Changed is the id of the value that the newest version changed. It is empty for the settings.
	Changed string `dynamodbav:"w"`
}

// CatalogueVersion implements store.Catalogue. It returns a version only after the transaction that wrote the version
// has committed.
//
// This needs care, because DynamoDB applies the writes of a transaction one by one. A read outside a transaction may
// see the new version but the old webhook. A reader would then keep the old webhook under the new version and go on
// calling a webhook that was switched off. So when this process sees a version for the first time, it reads the version
// and the webhook in a transaction, which DynamoDB refuses until the other transaction has committed.
func (s *Store) CatalogueVersion(ctx context.Context) (version int64, err error) {
	defer fault.Wrap(&err, "read the catalogue's version")
	seen, err := s.head(ctx, tables.CatalogueVersion)
	if err != nil || seen.Version == s.committed.Load() {
		return seen.Version, err
	}
	committed, err := s.readCommitted(ctx, tables.CatalogueVersion, seen, catalogueKey)
	if err == nil {
		s.committed.Store(committed.Version)
	}
	return committed.Version, err
}

// catalogueKey returns the key of the item that a version of the catalogue changed.
func catalogueKey(changed string) item {
	if changed == "" {
		return configKey(tables.SettingsPart, tables.SettingsPart)
	}
	return webhookKey(changed)
}

// head reads the version of a list, which is 0 before the first change. The transaction that wrote it may not have
// committed yet.
func (s *Store) head(ctx context.Context, list string) (h head, err error) {
	stored, err := s.get(ctx, s.tables.Config, configKey(list, list))
	if err == nil {
		err = attributevalue.UnmarshalMap(stored, &h)
	}
	return h, err
}

// readCommitted waits until the transaction that wrote the version seen has committed, and returns that version or a
// newer one.
func (s *Store) readCommitted(ctx context.Context, list string, seen head, key func(changed string) item) (head, error) {
	if seen.Version == 0 {
		return seen, nil
	}
	err := retry(ctx, func(ctx context.Context) (done bool, err error) {
		output, err := s.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: &s.tables.Config, Key: configKey(list, list)}},
			{Get: &types.Get{TableName: &s.tables.Config, Key: key(seen.Changed)}},
		}})
		// DynamoDB refuses to read an item that another transaction is writing.
		if _, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
			return false, nil
		}
		if err != nil {
			return true, classify(err)
		}
		// If there is a newer version by now, the transaction has read the webhook of the older one, so the newer one
		// is read again.
		asked := seen.Changed
		err = attributevalue.UnmarshalMap(output.Responses[0].Item, &seen)
		return seen.Changed == asked, err
	})
	return seen, err
}

// Changes implements store.Catalogue.
func (s *Store) Changes(ctx context.Context, after int64) (changes []store.Change, err error) {
	defer fault.Wrap(&err, "read the catalogue's changes after version %d", after)
	current, err := s.CatalogueVersion(ctx)
	if err != nil {
		return nil, err
	}
	// A version above the current one is from a table that was restored since. Its changes are not those of this table.
	if after > current || current-after > maxChanges {
		return nil, store.ErrGap
	}
	var keys []item
	for version := after + 1; version <= current; version++ {
		keys = append(keys, changeKey(version))
	}
	entries, err := s.getAll(ctx, s.tables.State, keys)
	if err != nil {
		return nil, err
	}
	changes = make([]store.Change, len(keys))
	for _, entry := range entries {
		var h head
		if err := attributevalue.UnmarshalMap(entry, &h); err != nil {
			return nil, err
		}
		changes[h.Version-after-1] = store.Change{Version: h.Version, Webhook: h.Changed}
	}
	// Some entries have expired.
	if len(entries) < len(keys) {
		return nil, store.ErrGap
	}
	return changes, nil
}

// change writes what plan returns, the next version of the catalogue and an entry of the change log in one transaction.
// plan runs again for each try. It returns no writes if there is nothing to do.
func (s *Store) change(ctx context.Context, changed string, plan func(context.Context) ([]write, error)) error {
	// Changes of one process take turns. Otherwise they would conflict with each other and wait longer.
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return classify(ctx.Err())
	}
	return retry(ctx, func(ctx context.Context) (done bool, err error) {
		was, err := s.head(ctx, tables.CatalogueVersion)
		if err != nil {
			return true, err
		}
		writes, err := plan(ctx)
		if err != nil || len(writes) == 0 {
			return true, err
		}
		next := head{Version: was.Version + 1, Changed: changed}
		version, err := s.versionWrite(tables.CatalogueVersion, next, errAgain)
		if err != nil {
			return true, err
		}
		log, err := s.logWrite(next)
		if err != nil {
			return true, err
		}
		return s.transact(ctx, append(writes, version, log)...)
	})
}

// versionWrite returns the write of the next version of a list. If another writer has written that version, the write
// is refused with the error refusal.
func (s *Store) versionWrite(list string, next head, refusal error) (write, error) {
	entry, err := marshal(next, configKey(list, list))
	put, _ := versionedPut(s.tables.Config, list, list, entry)
	return write{types.TransactWriteItem{Put: put}, func(item) error { return refusal }}, err
}

// logWrite returns the write of the change log's entry for a version.
func (s *Store) logWrite(next head) (write, error) {
	entry, err := marshal(next, changeKey(next.Version))
	if err == nil {
		entry[tables.TTL] = number(s.now().Add(changeLifetime).Unix())
	}
	return write{TransactWriteItem: types.TransactWriteItem{Put: &types.Put{TableName: &s.tables.State, Item: entry}}}, err
}
