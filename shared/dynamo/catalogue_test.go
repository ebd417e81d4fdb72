package dynamo_test

import (
	"slices"
	"testing"
	"time"

	"nepenthes/shared/dynamo"
	"nepenthes/shared/tables"
)

// TestAVersionIsReturnedOnceItsTransactionHasCommitted: only DynamoDB knows when, and it refuses a transaction that
// reads what another one writes. So a process must read every version that it sees for the first time in a transaction,
// until that succeeds. Later reads are plain.
func TestAVersionIsReturnedOnceItsTransactionHasCommitted(t *testing.T) {
	cfg := local(t)
	writer := open(t, cfg, time.Now)
	cfg, wire := through(cfg)
	reader := dynamo.New(dynamo.Config{AWS: cfg, Tables: tables.Prefixed(newest())})
	var asked []string
	wire.begin(func(_ int, operation string) failure {
		asked = append(asked, operation)
		if operation == "TransactGetItems" && len(asked) < 4 {
			return conflicting
		}
		return nil
	})
	for _, want := range [][]string{
		{"GetItem"}, // before the first version
		{"GetItem", "TransactGetItems", "TransactGetItems", "TransactGetItems"},
		{"GetItem"},
	} {
		asked = nil
		version := catalogueVersion(t, reader)
		if !slices.Equal(asked, want) {
			t.Errorf("version %d: got requests %v, want %v", version, asked, want)
		}
		if version == 0 {
			w := newWebhook()
			must(t, writer.PutWebhook(t.Context(), &w))
		}
	}
}

func TestCreateTablesKeepsExistingTables(t *testing.T) {
	cfg := local(t)
	s := open(t, cfg, time.Now)
	w := newWebhook()
	must(t, s.PutWebhook(t.Context(), &w))
	must(t, dynamo.CreateTables(t.Context(), cfg, tables.Prefixed(newest())))
	is(t, "the webhook", w)(s.Webhook(t.Context(), w.ID))
}
