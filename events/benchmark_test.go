package events_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"nepenthes/events"
)

// kilobyte returns a message of 1 KiB with a project, an actor and typical data.
func kilobyte(tb testing.TB) []byte {
	tb.Helper()
	event := events.Event{
		ID: "evt_01KDZ5TGW04N3V0NNEBY8EA3FF", Type: "work_package:updated", OccurredAt: "2026-01-02T11:00:00Z",
		Project: &events.Project{ID: "7", Identifier: "plant", Name: "Plant"},
		Actor:   &events.Actor{ID: "3", Name: "Mara Lindqvist"},
	}
	var members strings.Builder
	for i := range 12 {
		fmt.Fprintf(&members, `"member%d":{"id":%d,"title":"Fix pump","on":true},`, i, 1000+i)
	}
	event.Data = json.RawMessage(`{` + members.String() + `"text":""}`)
	short, err := event.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	event.Data = json.RawMessage(`{` + members.String() + `"text":"` + strings.Repeat("x", 1024-len(short)) + `"}`)
	message, err := event.Encode()
	if err != nil || len(message) != 1024 {
		tb.Fatalf("%d bytes, %v", len(message), err)
	}
	return message
}

// BenchmarkDecode also reports the time as a multiple of that of json.Valid, which is the minimum for any reader.
func BenchmarkDecode(b *testing.B) {
	message := kilobyte(b)
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := events.Decode(message); err != nil {
			b.Fatal(err)
		}
	}
	decode := b.Elapsed() / time.Duration(b.N)
	start := time.Now()
	for range b.N {
		if !json.Valid(message) {
			b.Fatal("the message is not valid JSON")
		}
	}
	b.ReportMetric(float64(decode)/float64(time.Since(start)/time.Duration(b.N)), "×json.Valid")
}

func BenchmarkEncode(b *testing.B) {
	event, err := events.Decode(kilobyte(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	event, err := events.Decode(kilobyte(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		event.Digest()
	}
}

func BenchmarkMatches(b *testing.B) {
	for b.Loop() {
		events.Matches("work_package:*", "work_package:updated")
	}
}

// Nepenthes decodes every event. A copy of data or a map would exceed this limit.
func TestDecodeAllocatesLittle(t *testing.T) {
	message := kilobyte(t)
	got := testing.AllocsPerRun(100, func() {
		if _, err := events.Decode(message); err != nil {
			t.Fatal(err)
		}
	})
	if got > 20 {
		t.Errorf("%v allocations, want at most 20", got)
	}
}
