package sqlite_test

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"nepenthes/shared/delivery"
	"nepenthes/shared/id"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/store"
	"nepenthes/shared/webhook"
)

// processTime returns the CPU time that this process has used.
func processTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkEvent records an event of 1 KiB that matches one webhook, claims its delivery, and stores the outcome with
// its attempt: the work of the store for an event that succeeds at once. The bare benchmark runs three operations of
// the same writer that insert as many bytes into a table without an index. The difference is the price of columns,
// conditions and indexes.
func BenchmarkEvent(b *testing.B) {
	const inFlight = 64
	var bare time.Duration
	b.Run("bare", func(b *testing.B) {
		db := openStore(b, b.TempDir(), nil)
		bareTable(b, db)
		bare = perCall(b, inFlight, func(int) { bareInserts(b, db) })
	})
	for _, webhooks := range []int{1, 1000} {
		b.Run(strconv.Itoa(webhooks)+" webhooks", func(b *testing.B) {
			db := openStore(b, b.TempDir(), nil)
			hooks := make([]string, webhooks)
			for i := range hooks {
				hooks[i] = id.New(id.Webhook, time.Now())
			}
			cpu := perCall(b, inFlight, func(i int) { deliver(b, db, "evt_"+strconv.Itoa(i), hooks[i%webhooks]) })
			b.ReportMetric(float64(cpu)/float64(bare), "×bare")
		})
	}
}

// BenchmarkList reads a page of 20 out of 100,000 deliveries, near the beginning and deep inside.
func BenchmarkList(b *testing.B) {
	db := openStore(b, "", nil)
	hook, now := id.New(id.Webhook, time.Now()), time.Now()
	const stored = 100_000
	for i := range stored {
		e := newEvent("evt_" + strconv.Itoa(i))
		e.ReceivedAt = now.Add(-time.Duration(i) * time.Millisecond)
		putDelivery(b, db, e.Delivery(hook), nil)
	}
	var first time.Duration
	for _, depth := range []int{0, stored / 2, stored - 100} {
		b.Run(strconv.Itoa(depth)+" deep", func(b *testing.B) {
			q := store.Query{Webhook: hook, Limit: 20}
			q.From = delivery.Key{Webhook: hook, ReceivedMs: now.Add(-time.Duration(depth) * time.Millisecond).UnixMilli()}
			for b.Loop() {
				if page, err := db.Deliveries(b.Context(), q); err != nil || len(page.Deliveries) != q.Limit {
					b.Fatalf("got %d deliveries, error %v", len(page.Deliveries), err)
				}
			}
			if perPage := b.Elapsed() / time.Duration(b.N); depth == 0 {
				first = perPage
			} else {
				b.ReportMetric(float64(perPage)/float64(first), "×first")
			}
		})
	}
}

// perCall returns the CPU time of one call of f while inFlight calls run at the same time.
func perCall(b *testing.B, inFlight int, f func(i int)) time.Duration {
	before := processTime(b)
	concurrently(b, inFlight, f)
	cpu := (processTime(b) - before) / time.Duration(b.N)
	b.ReportMetric(float64(cpu.Nanoseconds())/1000, "cpu-µs/op")
	return cpu
}

// concurrently calls f b.N times from several goroutines.
func concurrently(b *testing.B, goroutines int, f func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range goroutines {
		all.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				f(int(i))
			}
		})
	}
	all.Wait()
	b.StopTimer()
}

// deliver stores an event and a delivery that its receiver accepts at once.
func deliver(b *testing.B, db *sqlite.DB, eventID, hook string) {
	e := newEvent(eventID)
	e.Data = benchData
	if _, _, _, err := db.PutEvent(b.Context(), e, []string{hook}); err != nil {
		b.Error(err)
		return
	}
	d, now := e.Delivery(hook), time.Now()
	a := &delivery.Attempt{
		ID: id.New(id.Attempt, now), Number: 1, Trigger: delivery.TriggerSchedule, Outcome: delivery.OutcomeDelivered,
		StartedAt: now, URL: "https://billing.example.com/hooks", Format: webhook.FormatNepenthes, Signed: true,
		Response: &delivery.Response{Status: 200, Body: []byte("ok"), Headers: http.Header{
			"Content-Type": {"text/plain"}, "Content-Length": {"2"}, "Date": {"Fri, 02 Jan 2026 11:00:00 GMT"},
		}},
	}
	if err := d.Claim(a.ID, a.Trigger, now); err != nil {
		b.Error(err)
	}
	d, _, err := db.PutDelivery(b.Context(), d, nil)
	if err != nil {
		b.Error(err)
	}
	if err := d.Record(a, delivery.Rules{}, now); err != nil {
		b.Error(err)
	}
	if _, won, err := db.PutDelivery(b.Context(), d, a); err != nil || !won {
		b.Errorf("got won %v, error %v", won, err)
	}
}

var benchData = make([]byte, 1024)

func bareTable(b *testing.B, db *sqlite.DB) {
	err := sqlite.Write(db, b.Context(), func(conn *zombie.Conn) error {
		return sqlitex.ExecuteTransient(conn, "CREATE TABLE bare (value BLOB)", nil)
	})
	if err != nil {
		b.Fatal(err)
	}
}

// bareInserts inserts in three operations as many bytes as an event, a claim and an outcome have.
func bareInserts(b *testing.B, db *sqlite.DB) {
	for _, size := range []int{1024, 300, 600} {
		err := sqlite.Write(db, b.Context(), func(conn *zombie.Conn) error {
			stmt := conn.Prep("INSERT INTO bare (value) VALUES (?)")
			stmt.BindBytes(1, benchData[:size])
			_, err := stmt.Step()
			return err
		})
		if err != nil {
			b.Error(err)
		}
	}
}
