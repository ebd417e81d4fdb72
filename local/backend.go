package main

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"nepenthes/shared/api"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/console"
	"nepenthes/shared/lane"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/vault"
)

// backend is where the data is kept: the store, the lanes, and the wrapper of key pairs.
type backend struct {
	store     database
	lane      func(lane.Name) ends
	keys      wrapper
	cursorKey []byte
	close     func() error
}

// database has all methods of a store that the pipeline and the HTTP handlers need.
type database interface {
	ledger
	api.Store
	clients.Store
	console.State
	auth.Counter
	auth.StateReader
	auth.StateWriter
	vault.Pairs
}

// wrapper creates key pairs. Only the same wrapper can unwrap their private keys.
type wrapper interface {
	vault.Maker
	vault.Unwrapper
}

// openBackend opens the data at the AWS endpoint that the environment names, or else in the data folder.
func openBackend(ctx context.Context, folder string, logger *slog.Logger) (*backend, error) {
	if os.Getenv(endpointVariable) != "" {
		return openAWS(ctx, folder)
	}
	return openSQLite(folder, logger)
}

// openSQLite opens the database in the folder, or a new one in memory if folder is empty.
func openSQLite(folder string, logger *slog.Logger) (*backend, error) {
	db, err := sqlite.Open(folder, sqlite.Options{Log: logger, Lanes: laneOptions()})
	if err != nil {
		return nil, err
	}
	keys, err := vault.OpenLocal(folder)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	cursorKey, err := keys.CursorKey()
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	lanes := func(n lane.Name) ends { return db.Lane(n) }
	return &backend{store: db, lane: lanes, keys: keys, cursorKey: cursorKey, close: db.Close}, nil
}
