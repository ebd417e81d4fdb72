package dynamo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/store"
	"nepenthes/shared/tables"
)

const (
	clientKind = "client"
	clientList = "list of clients"
)

// clientItem is the stored form of a client; see settingsItem.
type clientItem struct {
	ID          string          `dynamodbav:"s"`
	Name        string          `dynamodbav:"name"`
	Scopes      []access.Scope  `dynamodbav:"scopes"`
	Secrets     []access.Secret `dynamodbav:"secrets"`
	Revocations int64           `dynamodbav:"revocations,omitempty"`
	LockVersion int64           `dynamodbav:"v"`
	CreatedAt   time.Time       `dynamodbav:"createdAt"`
	UpdatedAt   time.Time       `dynamodbav:"updatedAt"`
}

// Clients implements store.Clients. It reads the version before the clients, after the transaction that wrote the
// version has committed. A change in between makes a write under this version fail, so no change is overlooked.
func (s *Store) Clients(ctx context.Context) (all []access.Client, version int64, err error) {
	defer fault.Wrap(&err, "list clients")
	list, err := s.head(ctx, tables.ClientsVersion)
	if err == nil {
		list, err = s.readCommitted(ctx, tables.ClientsVersion, list, clientKey)
	}
	if err != nil {
		return nil, 0, err
	}
	found, err := s.partition(ctx, tables.ClientsPart)
	if err != nil {
		return nil, 0, err
	}
	for _, stored := range found {
		c, err := unmarshal[clientItem](stored, clientKind, "")
		if err != nil {
			return nil, 0, err
		}
		all = append(all, access.Client(c))
	}
	slices.SortFunc(all, func(a, b access.Client) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return all, list.Version, nil
}

// clientKey returns the key of the item of a client.
func clientKey(id string) item { return configKey(tables.ClientsPart, id) }

// Client implements store.Clients.
func (s *Store) Client(ctx context.Context, id string) (_ access.Client, err error) {
	defer fault.Wrap(&err, "read client %s", id)
	c, _, err := readItem[clientItem](ctx, s, clientKind, id, clientKey(id))
	return access.Client(c), err
}

// PutClient implements store.Clients.
func (s *Store) PutClient(ctx context.Context, c *access.Client, list int64) (err error) {
	defer fault.Wrap(&err, "store client %s", c.ID)
	next := clientItem(*c)
	next.LockVersion++
	made, err := marshal(next, clientKey(c.ID))
	if err != nil {
		return err
	}
	put, refused := versionedPut(s.tables.Config, clientKind, c.ID, made)
	err = s.changeClients(ctx, head{list + 1, c.ID}, write{types.TransactWriteItem{Put: put}, refused})
	if err == nil {
		c.LockVersion = next.LockVersion
	}
	return err
}

// DeleteClient implements store.Clients.
func (s *Store) DeleteClient(ctx context.Context, id string, list int64) (err error) {
	defer fault.Wrap(&err, "delete client %s", id)
	if !canBeKey(id) {
		return store.Missing(clientKind, id)
	}
	return s.changeClients(ctx, head{list + 1, id}, write{types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.tables.Config, Key: clientKey(id), ConditionExpression: aws.String("attribute_exists(p)"),
	}}, func(item) error { return store.Missing(clientKind, id) }})
}

// changeClients writes a client and the next version of the list in one transaction.
func (s *Store) changeClients(ctx context.Context, next head, client write) error {
	version, err := s.versionWrite(tables.ClientsVersion, next, store.Conflict(clientList))
	if err != nil {
		return err
	}
	return retry(ctx, func(ctx context.Context) (done bool, err error) { return s.transact(ctx, client, version) })
}
