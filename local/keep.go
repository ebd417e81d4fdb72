package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nepenthes/shared/signing"
)

// Names of the small files beside the database.
const (
	administratorFile = "administrator"
	receiverFile      = "receiver-secret"
	cursorKeyFile     = "cursor-key"
)

// keep returns the line in the file with the given name in the folder. If there is no such file, keep writes the result
// of make to it. If folder is empty (all data in memory), keep returns the result of make and writes nothing.
func keep(folder, name string, make func() string) (string, error) {
	if folder == "" {
		return make(), nil
	}
	path := filepath.Join(folder, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		line := make()
		return line, write(path, line)
	}
	if err != nil {
		return "", err
	}
	line := strings.TrimSpace(string(text))
	if line == "" {
		return "", fmt.Errorf("%s is empty; delete it, and the next start creates a new one", path)
	}
	return line, nil
}

// write writes a line to a file that only the current user can read. Even after a crash the file is complete or absent.
func write(path, line string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// random returns 256 random bits as text that needs no quoting anywhere.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // crypto/rand never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// secrets sets the administrator's credentials and the receiver's secret where the flags do not give them. It reads
// them from the data folder, or generates new ones and keeps them there.
func (o *options) secrets() error {
	if o.admin == (credentials{}) {
		line, err := keep(o.data, administratorFile, func() string { return "administrator:" + random() })
		if err != nil {
			return err
		}
		if err := o.admin.Set(line); err != nil {
			return fmt.Errorf("%s is damaged; delete it, and the next start creates a new one", filepath.Join(o.data, administratorFile))
		}
	}
	if o.receiverSecret == "" {
		line, err := keep(o.data, receiverFile, func() string { return signing.Generate().Text() })
		if err != nil {
			return err
		}
		o.receiverSecret = line
	}
	return nil
}
