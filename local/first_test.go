package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/awstest"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/lane"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/tables"
	"nepenthes/shared/vault"
)

// first is the folder with data of the first release. Its README describes it.
const first = "testdata/first"

// known has what users of the first release knew: secrets, tokens and so on.
type known struct {
	At            time.Time
	Administrator credentials
	Client        struct {
		ID      string
		Secrets []string
	}
	Issuer, Session, Token string
	Webhooks               []knownWebhook
}

type knownWebhook struct {
	ID, Name, PayloadURL string
	Secrets              []string // oldest first
	Headers              map[string]string
}

// UnmarshalText reads id:secret.
func (c *credentials) UnmarshalText(text []byte) error { return c.Set(string(text)) }

func openFirstFolder(t *testing.T) *upgraded {
	folder := copyFirstFolder(t)
	u := &upgraded{known: readKnown(t, "folder"), messages: map[lane.Name][]lane.Message{}}
	u.now = u.At.Add(10 * time.Minute)
	db, err := sqlite.Open(folder, sqlite.Options{Now: u.clock, Lanes: laneOptions()})
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	u.keys, err = vault.OpenLocal(folder)
	check(t, err)
	for name, count := range map[lane.Name]int{lane.Events: 1, lane.Deliveries: 3, lane.Retries: 1} {
		for len(u.messages[name]) < count {
			ctx, cancel := context.WithTimeout(t.Context(), startLimit)
			got, err := db.Lane(name).Receive(ctx, count)
			cancel()
			check(t, err)
			u.messages[name] = append(u.messages[name], got...)
		}
	}
	u.store = db
	return u
}

// copyFirstFolder returns a copy of the data folder, since opening the folder changes it.
func copyFirstFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	files, err := os.ReadDir(filepath.Join(first, "folder"))
	check(t, err)
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(first, "folder", file.Name()))
		check(t, err)
		name, packed := strings.CutSuffix(file.Name(), ".gz")
		if packed {
			unpacked, err := gzip.NewReader(bytes.NewReader(content))
			check(t, err)
			content, err = io.ReadAll(unpacked)
			check(t, err)
		}
		check(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}
	return folder
}

func openFirstTables(t *testing.T) *upgraded {
	endpoint := awstest.DynamoDB(t)
	atEndpoint(t, endpoint)
	cfg, err := awsclient.Load(t.Context(), 16)
	check(t, err)
	names := tables.Prefixed("first-")
	check(t, dynamo.CreateTables(t.Context(), cfg, names))
	for _, stored := range readLines[struct {
		Table string
		Item  json.RawMessage
	}](t, "items.jsonl") {
		putItem(t, endpoint, "first-"+stored.Table, stored.Item)
	}
	u := &upgraded{known: readKnown(t, "tables"), messages: map[lane.Name][]lane.Message{}}
	u.now = u.At.Add(10 * time.Minute)
	for i, m := range readLines[struct {
		Lane        lane.Name
		Body, Group string
		Attributes  map[string]string
	}](t, "messages.jsonl") {
		u.messages[m.Lane] = append(u.messages[m.Lane], lane.Message{ID: fmt.Sprint(i), Body: []byte(m.Body), Group: m.Group, Attributes: m.Attributes})
	}
	u.store = dynamo.New(dynamo.Config{AWS: cfg, Tables: names, Now: u.clock})
	folder := t.TempDir()
	key, err := os.ReadFile(filepath.Join(first, "tables", vault.KeyFile))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(folder, vault.KeyFile), key, 0o600))
	u.keys, err = vault.OpenLocal(folder)
	check(t, err)
	return u
}

// putItem stores an item exactly as it was read, without using package dynamo.
func putItem(t *testing.T, endpoint, table string, item json.RawMessage) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"TableName": table, "Item": item})
	check(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, bytes.NewReader(body))
	check(t, err)
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(request)
	check(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		t.Fatalf("%s does not accept %s: %s", table, item, text)
	}
}

func readKnown(t *testing.T, part string) (k known) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(first, part, "known.json"))
	check(t, err)
	check(t, json.Unmarshal(text, &k))
	return k
}

func readLines[T any](t *testing.T, name string) (lines []T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(first, "tables", name))
	check(t, err)
	for line := range bytes.Lines(text) {
		var v T
		check(t, json.Unmarshal(line, &v))
		lines = append(lines, v)
	}
	return lines
}
