package sqlite

import (
	"cmp"
	"context"
	"slices"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/store"
)

const (
	clientKind = "client"
	// clientList is the kind of the single row whose version is the version of the list. Its id and value are empty.
	clientList = "list of clients"
)

// Clients implements store.Clients.
func (db *DB) Clients(ctx context.Context) (clients []access.Client, version int64, err error) {
	defer fault.Wrap(&err, "list clients")
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		if version, _, _, err = (configRow{kind: clientList}).stored(conn); err != nil {
			return err
		}
		clients, err = list[access.Client](conn, clientKind)
		return err
	})
	slices.SortFunc(clients, func(a, b access.Client) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return clients, version, err
}

// Client implements store.Clients.
func (db *DB) Client(ctx context.Context, id string) (c access.Client, err error) {
	defer fault.Wrap(&err, "read client %s", id)
	// Every request with a token reads its client, so clients are kept in memory.
	c, err = db.clients.get(id, func() (c access.Client, err error) {
		err = db.read(ctx, func(conn *sqlite.Conn) error {
			c, err = get[access.Client](conn, clientKind, id)
			return err
		})
		return c, err
	})
	// A copy, because a caller may change it and the original stays in memory.
	c.Scopes, c.Secrets = slices.Clone(c.Scopes), slices.Clone(c.Secrets)
	return c, err
}

// PutClient implements store.Clients.
func (db *DB) PutClient(ctx context.Context, c *access.Client, list int64) (err error) {
	defer fault.Wrap(&err, "store client %s", c.ID)
	changed := *c
	changed.LockVersion++
	r, err := newConfigRow(clientKind, c.ID, changed.LockVersion, changed)
	if err != nil {
		return err
	}
	err = db.configure(ctx, func(conn *sqlite.Conn) error {
		written, err := r.put(conn)
		if err != nil || !written {
			return err
		}
		return raiseClientList(conn, list)
	})
	if err == nil {
		c.LockVersion = changed.LockVersion
	}
	return err
}

// DeleteClient implements store.Clients.
func (db *DB) DeleteClient(ctx context.Context, id string, list int64) (err error) {
	defer fault.Wrap(&err, "delete client %s", id)
	return db.configure(ctx, func(conn *sqlite.Conn) error {
		if err := (configRow{kind: clientKind, id: id}).drop(conn); err != nil {
			return err
		}
		return raiseClientList(conn, list)
	})
}

// raiseClientList raises the version of the list if it is still version. Otherwise it returns a fault, which undoes the
// change of the client before it.
func raiseClientList(conn *sqlite.Conn, version int64) error {
	list := configRow{kind: clientList}
	stored, _, _, err := list.stored(conn)
	if err != nil {
		return err
	}
	if stored != version {
		return store.Conflict(list.kind)
	}
	p := bind(conn, `INSERT OR REPLACE INTO config (kind, id, version, value) VALUES (?, '', ?, '')`)
	return execute(p.text(clientList).number(version + 1).stmt)
}
