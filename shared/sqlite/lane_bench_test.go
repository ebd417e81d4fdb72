package sqlite_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"nepenthes/shared/lane"
	"nepenthes/shared/sqlite"
)

// doorbell is a message of the size that the sender's lanes carry.
var doorbell = lane.Doorbell("dlv_0123456789012345678901234567890123456789012345", "wh_01ARZ3NDEKTSV4RRFFQ69G5FAV")

// BenchmarkSend sends doorbells, one after another and many at once, and compares each with the floor: a bare
// transaction that inserts a row of the same size on a connection of its own.
func BenchmarkSend(b *testing.B) {
	var floor float64
	b.Run("floor", func(b *testing.B) {
		conn, err := zombie.OpenConn(filepath.Join(b.TempDir(), fileName))
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		execute(b, conn, "PRAGMA synchronous = FULL")
		execute(b, conn, "CREATE TABLE bells (id INTEGER PRIMARY KEY, body BLOB)")
		body := make([]byte, len(doorbell.Body)+len(doorbell.Group)+30)
		for b.Loop() {
			execute(b, conn, "BEGIN IMMEDIATE")
			execute(b, conn, "INSERT INTO bells (body) VALUES (?)", body)
			execute(b, conn, "COMMIT")
		}
		floor = b.Elapsed().Seconds() / float64(b.N)
	})
	for _, inFlight := range []int{1, 64} {
		b.Run(fmt.Sprint(inFlight, " in flight"), func(b *testing.B) {
			l := mustOpen(b, b.TempDir(), sqlite.Options{}).Lane(lane.Deliveries)
			perCall(b, inFlight, func(int) {
				if err := l.Send(b.Context(), doorbell); err != nil {
					b.Error(err)
				}
			})
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/floor, "×floor")
		})
	}
}

func execute(b *testing.B, conn *zombie.Conn, query string, args ...any) {
	b.Helper()
	if err := sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkNeighbour sends, receives and deletes a message, on an empty lane and beside another group that has its
// share in flight and 100,000 messages waiting.
func BenchmarkNeighbour(b *testing.B) {
	var alone float64
	for _, waiting := range []int{0, 100_000} {
		b.Run(fmt.Sprint(waiting, " waiting"), func(b *testing.B) {
			l := mustOpen(b, "", sqlite.Options{}).Lane(lane.Deliveries)
			fill(b, l, waiting)
			if waiting > 0 {
				if _, err := l.Receive(b.Context(), 1000); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if err := l.Send(b.Context(), lane.Message{Body: doorbell.Body, Group: "calm"}); err != nil {
					b.Fatal(err)
				}
				got, err := l.Receive(b.Context(), 10)
				if err != nil || len(got) != 1 || got[0].Group != "calm" {
					b.Fatalf("got %v, %v", got, err)
				}
				if err := l.Delete(b.Context(), got[0].ID); err != nil {
					b.Fatal(err)
				}
			}
			each := b.Elapsed().Seconds() / float64(b.N)
			if waiting == 0 {
				alone = each
			}
			b.ReportMetric(each/alone, "×alone")
		})
	}
}

// fill sends n doorbells of one group.
func fill(b *testing.B, l *sqlite.Lane, n int) {
	b.Helper()
	const batch = 1000
	messages := make([]lane.Message, batch)
	for i := range messages {
		messages[i] = doorbell
	}
	for range n / batch {
		if err := l.Send(b.Context(), messages...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBacklog opens a file with 200,000 waiting doorbells and reports how much memory each takes.
func BenchmarkBacklog(b *testing.B) {
	const waiting = 200_000
	folder := b.TempDir()
	db, err := sqlite.Open(folder, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	fill(b, db.Lane(lane.Deliveries), waiting)
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		db, err := sqlite.Open(folder, sqlite.Options{})
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/waiting, "B/message")
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/waiting*float64(1_000_000/time.Millisecond), "ms/million")
}

// BenchmarkOpen opens a database in memory, as every unit test does.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		db, err := sqlite.Open("", sqlite.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
