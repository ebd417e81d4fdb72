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

// keep gives the line kept in the folder under name; when there is none, it keeps what make makes. In memory
// (folder empty) nothing is kept.
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
		return "", fmt.Errorf("%s is empty; delete it to have a new one made", path)
	}
	return line, nil
}

// write writes a line to a file that only we can read. It is whole or not there, also after a crash.
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

// random is 256 random bits in a spelling that needs no quoting anywhere.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// secrets settles the administrator's credentials and the receiver's secret: those of the flags, else the kept
// ones, else new ones.
func (o *options) secrets() error {
	if o.admin == (credentials{}) {
		line, err := keep(o.data, administratorFile, func() string { return "administrator:" + random() })
		if err != nil {
			return err
		}
		if err := o.admin.Set(line); err != nil {
			return fmt.Errorf("%s is damaged; delete it to have a new one made", filepath.Join(o.data, administratorFile))
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
