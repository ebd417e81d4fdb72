package vault

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"nepenthes/shared/fault"
)

const (
	// KeyFile is the name of the file in the data folder that holds the wrapping key.
	KeyFile = "nepenthes.key"

	keySize = 32 // bytes of an AES-256 key
	sumSize = 8  // bytes of the checksum after the key in the file
	// keyMark is the beginning of the file. It names the kind of file and its version.
	keyMark = "nepenthes-key-1:"
)

var errKeyFile = errors.New("the file is damaged or is not a key file; " +
	"restore it, or remove it together with the database whose secrets it protects")

// Local is a Maker and an Unwrapper without KMS. Its wrapping key is in a file beside the database, so a copy of the
// database alone opens no secret. It is safe for concurrent use.
type Local struct {
	key  []byte
	aead cipher.AEAD
}

// OpenLocal reads the key file in folder, which must exist. It creates a missing file with mode 0600 and never leaves a
// part of one. If several processes create it at the same time, all use the same key. If the file is damaged, the error
// names it in one sentence. If folder is "", the key is in memory and is lost with the process.
func OpenLocal(folder string) (*Local, error) {
	if folder == "" {
		return newLocal(newKey())
	}
	key, err := openKeyFile(filepath.Join(folder, KeyFile))
	if err != nil {
		return nil, err
	}
	return newLocal(key)
}

func newLocal(key []byte) (*Local, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Local{key, aead}, nil
}

// Make makes a key pair on P-256 and wraps its private half for purpose.
func (l *Local) Make(_ context.Context, purpose string) (publicKey, wrapped []byte, err error) {
	defer fault.Wrap(&err, "make a key pair for %s", purpose)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	publicKey, err = x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return publicKey, l.aead.Seal(nil, nil, der, []byte(purpose)), nil
}

// Unwrap decrypts the private half. It returns an error if wrapped was made for another purpose or with another key
// file, or was altered.
func (l *Local) Unwrap(_ context.Context, purpose string, wrapped []byte) (privateKey []byte, err error) {
	defer fault.Wrap(&err, "unwrap a private key for %s", purpose)
	privateKey, err = l.aead.Open(nil, nil, wrapped, []byte(purpose))
	if err != nil {
		return nil, errors.New("the key was wrapped with another key file or for another purpose, or was altered")
	}
	return privateKey, nil
}

// CursorKey returns a key of 32 bytes for the cursors of lists, which has its own secret in a deployment. It is derived
// from the wrapping key but does not reveal it.
func (l *Local) CursorKey() ([]byte, error) {
	return hkdf.Key(sha256.New, l.key, nil, "cursor-key", minCursorKey)
}

func newKey() []byte {
	key := make([]byte, keySize)
	rand.Read(key) // never fails (Go 1.24)
	return key
}

func openKeyFile(path string) (key []byte, err error) {
	defer fault.Wrap(&err, "key file %s", path)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createKeyFile(path, newKey()); err != nil {
			return nil, err
		}
	}
	line, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err = decodeKey(line)
	if err != nil {
		return nil, err
	}
	// A file restored from a backup may be readable by others.
	return key, os.Chmod(path, 0o600)
}

// createKeyFile writes a temporary file and then links it to path. So a crash leaves no partial key, and, unlike a
// rename, a link never replaces the key of a process that was faster.
func createKeyFile(path string, key []byte) error {
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, KeyFile+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(encodeKey(key))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes the new name durable. Otherwise, after a power failure, the database could have pairs whose key is
// lost.
func syncFolder(folder string) error {
	opened, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(opened.Sync(), opened.Close())
}

// encodeKey returns a key as one line of text with a checksum. Without the checksum, an altered key would look like
// another key that opens nothing.
func encodeKey(key []byte) []byte {
	sum := sha256.Sum256(append([]byte(keyMark), key...))
	line := base64.StdEncoding.AppendEncode([]byte(keyMark), append(bytes.Clone(key), sum[:sumSize]...))
	return append(line, '\n')
}

func decodeKey(line []byte) ([]byte, error) {
	encoded, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte(keyMark))
	decoded, err := base64.StdEncoding.AppendDecode(nil, encoded)
	if !ok || err != nil || len(decoded) != keySize+sumSize {
		return nil, errKeyFile
	}
	key := decoded[:keySize]
	if !bytes.Equal(encodeKey(key), append(bytes.TrimSpace(line), '\n')) {
		return nil, errKeyFile
	}
	return key, nil
}
