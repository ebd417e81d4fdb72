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
	// changesKnown is how far back the change log is read. Whoever is further behind is served faster by
	// reading everything.
	changesKnown = 1000
	// changeKept is how long an entry is kept. Nobody who follows the log sleeps that long.
	changeKept = 7 * 24 * time.Hour
)

// head is the item that counts the versions of a list: of the catalogue, or of the clients.
type head struct {
	Version int64 `dynamodbav:"v"`
	// Changed is the id of what the newest version changed, empty for the settings.
	Changed string `dynamodbav:"w"`
}

// CatalogueVersion implements store.Catalogue. A version is told only when the transaction that made it is
// through.
//
// That takes care: DynamoDB applies the writes of a transaction one by one, and other reads than those of another
// transaction may see the version already and the webhook not yet. A reader would then keep the old webhook under
// the new version, and go on calling a webhook that was switched off. So the first time that this process sees a
// version, it reads version and webhook in a transaction, which has to wait for the other.
func (s *Store) CatalogueVersion(ctx context.Context) (version int64, err error) {
	defer fault.Wrap(&err, "read the catalogue's version")
	seen, err := s.head(ctx, tables.CatalogueVersion)
	if err != nil || seen.Version == s.settled.Load() {
		return seen.Version, err
	}
	settled, err := s.settle(ctx, tables.CatalogueVersion, seen, catalogueKey)
	if err == nil {
		s.settled.Store(settled.Version)
	}
	return settled.Version, err
}

// catalogueKey is the key of what a version of the catalogue changed.
func catalogueKey(changed string) item {
	if changed == "" {
		return configKey(tables.SettingsPart, tables.SettingsPart)
	}
	return webhookKey(changed)
}

// head reads the version of a list, 0 when it has never changed. The transaction that made it may not be through.
func (s *Store) head(ctx context.Context, list string) (h head, err error) {
	stored, err := s.get(ctx, s.tables.Config, configKey(list, list))
	if err == nil {
		err = attributevalue.UnmarshalMap(stored, &h)
	}
	return h, err
}

// settle waits until the transaction that made the version seen, or a newer one, is through.
func (s *Store) settle(ctx context.Context, list string, seen head, key func(changed string) item) (head, error) {
	if seen.Version == 0 {
		return seen, nil
	}
	err := patiently(ctx, func(ctx context.Context) (done bool, err error) {
		output, err := s.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: &s.tables.Config, Key: configKey(list, list)}},
			{Get: &types.Get{TableName: &s.tables.Config, Key: key(seen.Changed)}},
		}})
		if _, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
			return false, nil
		}
		if err != nil {
			return true, classify(err)
		}
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
	if after > current || current-after > changesKnown {
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
	if len(entries) < len(keys) {
		return nil, store.ErrGap
	}
	return changes, nil
}

// change carries out what plan asks for together with the next version of the catalogue and the log's entry of
// it. plan runs again for each try; it answers no writes when there is nothing to do.
func (s *Store) change(ctx context.Context, changed string, plan func(context.Context) ([]write, error)) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return classify(ctx.Err())
	}
	return patiently(ctx, func(ctx context.Context) (done bool, err error) {
		was, err := s.head(ctx, tables.CatalogueVersion)
		if err != nil {
			return true, err
		}
		writes, err := plan(ctx)
		if err != nil || len(writes) == 0 {
			return true, err
		}
		next := head{Version: was.Version + 1, Changed: changed}
		raise, err := s.raise(tables.CatalogueVersion, next, errAgain)
		if err != nil {
			return true, err
		}
		log, err := s.logged(next)
		if err != nil {
			return true, err
		}
		return s.transact(ctx, append(writes, raise, log)...)
	})
}

// raise makes the next version of a list, or is refused with otherwise when somebody else has.
func (s *Store) raise(list string, next head, otherwise error) (write, error) {
	entry, err := marshal(next, configKey(list, list))
	put, _ := versioned(s.tables.Config, list, list, entry)
	return write{types.TransactWriteItem{Put: put}, func(item) error { return otherwise }}, err
}

// logged is the change log's entry of a version.
func (s *Store) logged(next head) (write, error) {
	entry, err := marshal(next, changeKey(next.Version))
	if err == nil {
		entry[tables.TTL] = number(s.now().Add(changeKept).Unix())
	}
	return write{TransactWriteItem: types.TransactWriteItem{Put: &types.Put{TableName: &s.tables.State, Item: entry}}}, err
}
