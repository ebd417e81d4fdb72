package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/fault"
	"nepenthes/shared/store"
	"nepenthes/shared/webhook"
)

const webhookKind = "webhook"

// Webhooks implements store.Catalogue.
func (db *DB) Webhooks(ctx context.Context, take func(webhook.Webhook)) (err error) {
	defer fault.Wrap(&err, "list webhooks")
	return db.read(ctx, func(conn *sqlite.Conn) error { return eachOf(conn, webhookKind, take) })
}

// Webhook implements store.Catalogue.
func (db *DB) Webhook(ctx context.Context, id string) (w webhook.Webhook, err error) {
	defer fault.Wrap(&err, "read webhook %s", id)
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		w, err = get[webhook.Webhook](conn, webhookKind, id)
		return err
	})
	return w, err
}

// PutWebhook implements store.Catalogue.
func (db *DB) PutWebhook(ctx context.Context, w *webhook.Webhook) (err error) {
	defer fault.Wrap(&err, "store webhook %s", w.ID)
	changed := *w
	changed.LockVersion++
	r, err := newConfigRow(webhookKind, w.ID, changed.LockVersion, changed)
	if err != nil {
		return err
	}
	r.name = webhook.FoldName(w.Name)
	err = db.configure(ctx, func(conn *sqlite.Conn) error {
		written, err := r.put(conn)
		if err != nil || !written {
			return err
		}
		if changed.Paused {
			if err := replaceReleaseJob(conn, store.NewReleaseJob(&changed)); err != nil {
				return err
			}
		}
		return logChange(conn, w.ID)
	})
	if err == nil {
		w.LockVersion = changed.LockVersion
	}
	return err
}

// DeleteWebhook implements store.Catalogue.
func (db *DB) DeleteWebhook(ctx context.Context, id string, lockVersion int64) (err error) {
	defer fault.Wrap(&err, "delete webhook %s", id)
	return db.configure(ctx, func(conn *sqlite.Conn) error {
		if err := (configRow{kind: webhookKind, id: id, version: lockVersion}).drop(conn); err != nil {
			return err
		}
		return logChange(conn, id)
	})
}
