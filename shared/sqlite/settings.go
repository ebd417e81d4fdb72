package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/fault"
	"nepenthes/shared/settings"
)

// settingsKind is the kind of the single row that holds the settings. Its id is empty.
const settingsKind = "settings"

// Settings implements store.Catalogue.
func (db *DB) Settings(ctx context.Context) (s settings.Settings, err error) {
	defer fault.Wrap(&err, "read the settings")
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		s, err = get[settings.Settings](conn, settingsKind, "")
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return settings.Defaults(), nil
	}
	return s, err
}

// PutSettings implements store.Catalogue.
func (db *DB) PutSettings(ctx context.Context, s *settings.Settings) (err error) {
	defer fault.Wrap(&err, "store the settings")
	changed := *s
	changed.LockVersion++
	r, err := newConfigRow(settingsKind, "", changed.LockVersion, changed)
	if err != nil {
		return err
	}
	err = db.configure(ctx, func(conn *sqlite.Conn) error {
		written, err := r.put(conn)
		if err != nil || !written {
			return err
		}
		return logChange(conn, "")
	})
	if err == nil {
		s.LockVersion = changed.LockVersion
	}
	return err
}
