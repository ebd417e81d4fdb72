package sqlite_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/sqlite"
)

const fileName = "nepenthes.db"

// alter runs statements on the file in a folder, as another program might.
func alter(t *testing.T, folder string, statements ...string) {
	t.Helper()
	conn, err := zombie.OpenConn(filepath.Join(folder, fileName), zombie.OpenReadWrite|zombie.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if err := sqlitex.ExecuteTransient(conn, s, nil); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}

// queryNumber returns the number that a query on the file in a folder selects.
func queryNumber(t *testing.T, folder, query string) int {
	t.Helper()
	conn, err := zombie.OpenConn(filepath.Join(folder, fileName), zombie.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	n, err := sqlitex.ResultInt(conn.Prep(query))
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// use opens a folder, sends messages and closes the folder.
func use(t *testing.T, folder string, messages ...lane.Message) {
	t.Helper()
	db, err := sqlite.Open(folder, sqlite.Options{})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	send(t, db.Lane(lane.Events), messages...)
	if err := db.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

func write(t *testing.T, folder string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, fileName), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, folder string)
		want    string // a part of the sentence
	}{
		{"a folder in use", func(t *testing.T, folder string) { mustOpen(t, folder, sqlite.Options{}) }, "in use"},
		{"a newer schema", func(t *testing.T, folder string) {
			use(t, folder)
			alter(t, folder, "PRAGMA user_version = 1000")
		}, "newer"},
		{"another program's file", func(t *testing.T, folder string) {
			alter(t, folder, "CREATE TABLE cats (name TEXT)", "PRAGMA application_id = 77")
		}, "another program"},
		{"an unmarked file with tables", func(t *testing.T, folder string) { alter(t, folder, "CREATE TABLE cats (name TEXT)") }, "another program"},
		{"an unmarked file with a version", func(t *testing.T, folder string) { alter(t, folder, "PRAGMA user_version = 1") }, "another program"},
		{"a text", func(t *testing.T, folder string) { write(t, folder, bytes.Repeat([]byte("not a database\n"), 1000)) }, "damaged"},
		{"a short text", func(t *testing.T, folder string) { write(t, folder, []byte("x\n")) }, "damaged"},
		{"a file without its second half", func(t *testing.T, folder string) {
			use(t, folder, lane.Message{Body: make([]byte, 100_000)})
			path := filepath.Join(folder, fileName)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, info.Size()/2/4096*4096); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(path + "-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		}, "damaged"},
		{"a file with an overwritten schema", func(t *testing.T, folder string) {
			use(t, folder)
			content, err := os.ReadFile(filepath.Join(folder, fileName))
			if err != nil {
				t.Fatal(err)
			}
			copy(content[100:], bytes.Repeat([]byte{0xff}, 3000))
			write(t, folder, content)
		}, "damaged"},
		{"a folder in the place of the file", func(t *testing.T, folder string) {
			if err := os.Mkdir(filepath.Join(folder, fileName), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "cannot be opened"},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			c.prepare(t, folder)
			_, err := sqlite.Open(folder, sqlite.Options{})
			refused(t, err, c.want, folder)
		})
	}
	t.Run("a file in the place of the folder", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.Open(path, sqlite.Options{})
		refused(t, err, "cannot be created", path)
	})
	t.Run("and releases the folder", func(t *testing.T) {
		folder := t.TempDir()
		write(t, folder, []byte("x\n"))
		if _, err := sqlite.Open(folder, sqlite.Options{}); err == nil {
			t.Fatal("got no error")
		}
		if err := os.Remove(filepath.Join(folder, fileName)); err != nil {
			t.Fatal(err)
		}
		mustOpen(t, folder, sqlite.Options{})
	})
}

// refused checks that err is a Refusal in one sentence that contains want and names the folder.
func refused(t *testing.T, err error, want, folder string) {
	t.Helper()
	refusal, ok := errors.AsType[*sqlite.Refusal](err)
	if !ok {
		t.Fatalf("got error %v, want a refusal", err)
	}
	text := err.Error()
	if text != refusal.Error() || !strings.Contains(text, want) || !strings.Contains(text, folder) ||
		strings.Contains(text, "\n") || !strings.HasSuffix(text, ".") {
		t.Errorf("got %q, want one sentence that names %s and contains %q", text, folder, want)
	}
}

func TestOpenModes(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "deep", "data")
	check := func(when string) {
		t.Helper()
		if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: got folder %v, %v; want mode 0700", when, info, err)
		}
		entries, err := os.ReadDir(folder)
		if err != nil || len(entries) == 0 {
			t.Errorf("%s: got %d files and error %v, want some", when, len(entries), err)
		}
		for _, entry := range entries {
			if info, err := entry.Info(); err != nil || info.Mode() != 0o600 {
				t.Errorf("%s: got %v with mode %v, want 0600", when, entry, info.Mode())
			}
		}
	}
	db := mustOpen(t, folder, sqlite.Options{})
	send(t, db.Lane(lane.Events), lane.Message{Body: make([]byte, 1<<20)})
	check("in use")

	folder = filepath.Join(t.TempDir(), "data")
	use(t, folder, lane.Message{Body: []byte("x")})
	check("after use")
	if err := os.Chmod(filepath.Join(folder, fileName), 0o644); err != nil {
		t.Fatal(err)
	}
	db = mustOpen(t, folder, sqlite.Options{})
	send(t, db.Lane(lane.Events), lane.Message{Body: []byte("x")})
	check("after the mode was changed")
}

func TestOpenInMemory(t *testing.T) {
	t.Chdir(t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		for range 2 {
			db := mustOpen(t, "", sqlite.Options{})
			if got := visible(t, db.Lane(lane.Events), 1); len(got) != 0 {
				t.Errorf("got %d messages, want none from an earlier database", len(got))
			}
			send(t, db.Lane(lane.Events), lane.Message{Body: make([]byte, 1<<20)})
		}
	})
	if left, err := os.ReadDir("."); err != nil || len(left) != 0 {
		t.Errorf("got files %v and error %v, want none", left, err)
	}
}

func TestOpenMarksTheFile(t *testing.T) {
	folder := t.TempDir()
	use(t, folder)
	if got := queryNumber(t, folder, "PRAGMA application_id"); got != 0x4e657065 {
		t.Errorf("got application id %#x, want %#x", got, 0x4e657065)
	}
	if got := queryNumber(t, folder, "PRAGMA user_version"); got < 1 {
		t.Errorf("got schema version %d, want 1 or more", got)
	}
}

func TestOpenMigrates(t *testing.T) {
	t.Run("an empty file", func(t *testing.T) {
		folder := t.TempDir()
		write(t, folder, nil)
		use(t, folder, lane.Message{Body: []byte("x")})
	})
	t.Run("a file whose first start was killed before it had a schema", func(t *testing.T) {
		folder := t.TempDir()
		alter(t, folder, "PRAGMA journal_mode = WAL")
		use(t, folder, lane.Message{Body: []byte("x")})
	})
	t.Run("an older file", func(t *testing.T) {
		folder := t.TempDir()
		alter(t, folder, "PRAGMA application_id = 0x4e657065")
		use(t, folder, lane.Message{Body: []byte("x")})
		if got := queryNumber(t, folder, "SELECT count(*) FROM messages"); got != 1 {
			t.Errorf("got %d messages, want 1", got)
		}
	})
	t.Run("nothing when a step fails", func(t *testing.T) {
		folder := t.TempDir()
		alter(t, folder, "PRAGMA application_id = 0x4e657065", "CREATE VIEW messages AS SELECT 1")
		_, err := sqlite.Open(folder, sqlite.Options{})
		refused(t, err, "cannot be opened", folder)
		if got := queryNumber(t, folder, "SELECT count(*) FROM sqlite_schema"); got != 1 {
			t.Errorf("got %d tables and views, want the one that existed", got)
		}
		if got := queryNumber(t, folder, "PRAGMA user_version"); got != 0 {
			t.Errorf("got schema version %d, want 0", got)
		}
	})
}

func TestOpenIsDurable(t *testing.T) {
	folder := t.TempDir()
	db := mustOpen(t, folder, sqlite.Options{})
	var synchronous int
	err := sqlite.Write(db, t.Context(), func(conn *zombie.Conn) (err error) {
		synchronous, err = sqlitex.ResultInt(conn.Prep("PRAGMA synchronous"))
		return err
	})
	if err != nil || synchronous != 2 { // FULL
		t.Errorf("got synchronous = %d and error %v, want 2", synchronous, err)
	}
	if _, err := os.Stat(filepath.Join(folder, fileName+"-wal")); err != nil {
		t.Errorf("there is no write-ahead log: %v", err)
	}
}

// TestDamageFoundLater overwrites the pages of a body, which Open does not read.
func TestDamageFoundLater(t *testing.T) {
	folder := t.TempDir()
	use(t, folder, lane.Message{Body: []byte("good")}, lane.Message{Body: bytes.Repeat([]byte("damaged "), 100_000)})
	content, err := os.ReadFile(filepath.Join(folder, fileName))
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(content); at += 4096 { // an overflow page has the number of the next one, then a part of the body
		if bytes.Contains(content[at+4:at+24], []byte("damaged ")) {
			copy(content[at:], bytes.Repeat([]byte{0xff}, 4))
		}
	}
	write(t, folder, content)
	var log bytes.Buffer
	db := mustOpen(t, folder, sqlite.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	l := db.Lane(lane.Events)
	if got := receive(t, l, 1); string(got[0].Body) != "good" {
		t.Errorf("got %q, want the good message first", got[0].Body)
	}
	for range 3 {
		_, err = l.Receive(t.Context(), 1)
		if !fault.Is(err, fault.Unavailable) || fault.From(err).RetryAfter <= 0 {
			t.Errorf("got error %v, want %v with a RetryAfter", err, fault.Unavailable)
		}
	}
	if got := strings.Count(log.String(), "\n"); got != 1 || !strings.Contains(log.String(), "msg=database.damaged") {
		t.Errorf("got %d log lines, want one about damage:\n%s", got, log.String())
	}
	send(t, l, lane.Message{Body: []byte("more")})
}
