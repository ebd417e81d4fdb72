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

// hold makes the folder and takes its lock, which the kernel frees when the process ends, however it ends. SQLite's
// own locks would let a second process write.
func hold(folder string) (*flock.Flock, error) {
	if err := os.MkdirAll(folder, folderMode); err != nil {
		return nil, refuse(err, "The data folder %s cannot be made: %v.", folder, err)
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

// seal gives the database its mode before SQLite sees it, making an empty file when there is none. SQLite copies
// the mode to the files that it puts beside it; those that are left from a killed process get it here.
func seal(path string) error {
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
