package vault_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"nepenthes/shared/keypair"
	"nepenthes/shared/vault"
)

// opens reports whether keys can unwrap a key that other wrapped.
func opens(t testing.TB, keys, other *vault.Local) bool {
	t.Helper()
	_, wrapped, err := other.Make(t.Context(), keypair.WebhookSecrets)
	if err != nil {
		t.Fatal(err)
	}
	_, err = keys.Unwrap(t.Context(), keypair.WebhookSecrets, wrapped)
	return err == nil
}

func TestTheKeyFileLasts(t *testing.T) {
	folder := t.TempDir()
	first := ok(vault.OpenLocal(folder))(t)
	again := ok(vault.OpenLocal(folder))(t)
	if !opens(t, again, first) || !opens(t, first, again) {
		t.Error("got another key from the same file")
	}
	if !bytes.Equal(ok(first.CursorKey())(t), ok(again.CursorKey())(t)) {
		t.Error("got another cursor key from the same file")
	}
	if opens(t, ok(vault.OpenLocal(t.TempDir()))(t), first) {
		t.Error("got the same key in another folder")
	}
}

func TestOnlyTheOwnerReadsTheKeyFile(t *testing.T) {
	folder := t.TempDir()
	ok(vault.OpenLocal(folder))(t)
	checkFolder := func(t *testing.T) {
		t.Helper()
		entries := ok(os.ReadDir(folder))(t)
		if len(entries) != 1 || entries[0].Name() != vault.KeyFile {
			t.Fatalf("got %v in the folder, want only %s", entries, vault.KeyFile)
		}
		if got := ok(entries[0].Info())(t).Mode(); got != 0o600 {
			t.Errorf("got mode %v, want 0600", got)
		}
	}
	t.Run("after its creation", checkFolder)
	t.Run("after everybody could read it", func(t *testing.T) {
		if err := os.Chmod(filepath.Join(folder, vault.KeyFile), 0o644); err != nil {
			t.Fatal(err)
		}
		ok(vault.OpenLocal(folder))(t)
		checkFolder(t)
	})
}

func TestADamagedKeyFileIsRefused(t *testing.T) {
	folder := t.TempDir()
	ok(vault.OpenLocal(folder))(t)
	path := filepath.Join(folder, vault.KeyFile)
	valid := ok(os.ReadFile(path))(t)
	damages := map[string][]byte{
		"empty":              nil,
		"cut":                valid[:len(valid)/2],
		"of another kind":    []byte("-----BEGIN PRIVATE KEY-----\n"),
		"a later version":    bytes.Replace(valid, []byte("-1:"), []byte("-2:"), 1),
		"with a second line": append(bytes.Clone(valid), "x\n"...),
		"without its mark":   valid[bytes.IndexByte(valid, ':')+1:],
		"zeros":              make([]byte, len(valid)),
		"a line break in it": append(append(bytes.Clone(valid[:30]), '\n'), valid[30:]...),
	}
	for i := range len(valid) - 1 {
		altered := bytes.Clone(valid)
		altered[i] ^= 1
		damages["altered at "+string(rune('0'+i/10))+string(rune('0'+i%10))] = altered
	}
	for name, content := range damages {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := vault.OpenLocal(folder)
			if err == nil {
				t.Fatal("got a key, want an error")
			}
			if text := err.Error(); !strings.Contains(text, path) || strings.Contains(text, "\n") || strings.Contains(text, string(valid[16:40])) {
				t.Errorf("got %q, want one sentence that names the file but not the key", text)
			}
			if got := ok(os.ReadFile(path))(t); !bytes.Equal(got, content) {
				t.Error("the damaged file was changed")
			}
		})
	}
	t.Run("restored", func(t *testing.T) {
		if err := os.WriteFile(path, append(bytes.TrimSpace(valid), "\r\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
		ok(vault.OpenLocal(folder))(t)
	})
}

func TestAKeyFileThatCannotBeOpened(t *testing.T) {
	t.Run("no folder", func(t *testing.T) {
		if _, err := vault.OpenLocal(filepath.Join(t.TempDir(), "absent")); err == nil {
			t.Error("got a key without a folder")
		}
	})
	t.Run("a folder in its place", func(t *testing.T) {
		folder := t.TempDir()
		if err := os.Mkdir(filepath.Join(folder, vault.KeyFile), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := vault.OpenLocal(folder); err == nil {
			t.Error("got a key from a folder")
		}
	})
}

func TestProcessesThatStartTogetherShareTheKeyFile(t *testing.T) {
	folder := t.TempDir()
	all := make([]*vault.Local, 16)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			var err error
			if all[i], err = vault.OpenLocal(folder); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, one := range all[1:] {
		if one == nil || !opens(t, one, all[0]) {
			t.Fatal("got different keys")
		}
	}
	if entries := ok(os.ReadDir(folder))(t); len(entries) != 1 {
		t.Errorf("got %v in the folder, want one file", entries)
	}
}

func TestAKeyInMemoryLeavesNoFile(t *testing.T) {
	t.Chdir(t.TempDir())
	one, two := ok(vault.OpenLocal(""))(t), ok(vault.OpenLocal(""))(t)
	if opens(t, one, two) {
		t.Error("got the same key twice")
	}
	if entries := ok(os.ReadDir("."))(t); len(entries) != 0 {
		t.Errorf("got %v, want no file", entries)
	}
}

func TestALocalPrivateKeyIsBoundToItsPurpose(t *testing.T) {
	keys := ok(vault.OpenLocal(""))(t)
	_, wrapped, err := keys.Make(t.Context(), keypair.TokenSigning)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Unwrap(t.Context(), keypair.WebhookSecrets, wrapped); err == nil {
		t.Error("got a token key for webhook secrets")
	}
	for i := range wrapped {
		altered := bytes.Clone(wrapped)
		altered[i] ^= 1
		if _, err := keys.Unwrap(t.Context(), keypair.TokenSigning, altered); err == nil {
			t.Errorf("got a key although byte %d was altered", i)
		}
	}
}
