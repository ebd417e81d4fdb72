package sqlite

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

const (
	lockName   = "nepenthes.lock"
	folderMode = 0o700
	fileMode   = 0o600
)

// lockFolder creates the folder and locks it. The kernel releases the lock when the process ends, however that happens.
// The locks of SQLite are not enough, because they would let a second process write.
func lockFolder(folder string) (*flock.Flock, error) {
	if err := os.MkdirAll(folder, folderMode); err != nil {
		return nil, refuse(err, "The data folder %s cannot be created: %v.", folder, err)
	}
	path := filepath.Join(folder, lockName)
	lock := flock.New(path, flock.SetPermissions(fileMode))
	held, err := lock.TryLock()
	if err != nil {
		return nil, refuse(err, "The data folder %s cannot be locked: %v.", folder, err)
	}
	if !held {
		return nil, refuse(nil, "The data folder %s is in use by another process.", folder)
	}
	return lock, nil
}

// restrictMode sets the mode of the database file before SQLite opens it, and creates an empty file if there is none.
// SQLite gives the same mode to the files that it creates beside it. restrictMode also sets the mode of files that a
// killed process has left.
func restrictMode(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	for _, name := range []string{path, path + "-wal", path + "-shm", filepath.Join(filepath.Dir(path), lockName)} {
		if err := os.Chmod(name, fileMode); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
