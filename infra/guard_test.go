package main

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"nepenthes/infra/deployed"
	"nepenthes/infra/rehearsal"
	"nepenthes/shared/access"
	"nepenthes/shared/awstest"
	"nepenthes/shared/delivery"
	"nepenthes/shared/dynamo"
	ids "nepenthes/shared/id"
	"nepenthes/shared/keypair"
	"nepenthes/shared/project"
	"nepenthes/shared/routes"
	"nepenthes/shared/store"
	"nepenthes/shared/tables"
	"nepenthes/shared/webhook"
)

// guard is a proxy between functions and their tables. Like DynamoDB, it refuses writes that a function's role does not
// allow. Local endpoints enforce everything in the roles except the condition on parts of tables.
type guard struct {
	tpl  *template
	next http.Handler

	mu      sync.Mutex // protects what follows
	refused []string
	written map[routes.Function]int // items
}

// newGuard returns a new guard for the roles of a template. It passes allowed requests on to the endpoint.
func newGuard(tpl *template, endpoint *url.URL, transport http.RoundTripper) *guard {
	return &guard{tpl: tpl, written: map[routes.Function]int{}, next: &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(endpoint)
			r.Out.Host = r.In.Host // the signature includes the host
		},
	}}
}

// before starts a server for a function and returns its URL. The function reaches its tables through it.
func (g *guard) before(t *testing.T, f routes.Function) string {
	t.Helper()
	_, function := g.tpl.function(t, f)
	policies := g.tpl.roleOf(t, id(function.Properties["Role"]))
	arns := map[string]string{}
	for _, table := range tables.All() {
		logical, _ := g.tpl.one(t, "AWS::DynamoDB::Table", deployed.Tables, table.Name)
		arns[logical] = g.tpl.arn(t, logical)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, item := range writesOf(r.Header.Get("X-Amz-Target"), body) {
			if !g.admits(f, policies, item, arns) {
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"__type":"com.amazon.coral.service#AccessDeniedException","Message":%q}`, fmt.Sprint(f, " may not ", item))
				return
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		g.next.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// admits reports whether the policies allow a write, and records it. The deployed name of a table contains its logical
// id.
func (g *guard) admits(f routes.Function, policies []policy, w tableWrite, arns map[string]string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for logical, arn := range arns {
		if !strings.Contains(w.table, logical) {
			continue
		}
		ask := request{action: "dynamodb:" + w.action, resource: arn}
		if w.key != "" {
			ask.context = map[string][]string{"dynamodb:LeadingKeys": {w.key}}
		}
		if allows(policies, ask) {
			g.written[f]++
			return true
		}
	}
	g.refused = append(g.refused, fmt.Sprint(f, " may not ", w))
	return false
}

// tableWrite is the write of one item.
type tableWrite struct {
	action, table string
	key           string // the partition's key; empty if the request names none
}

// String returns the action, the table and the key.
func (w tableWrite) String() string { return w.action + " " + w.table + " " + w.key }

// writesOf returns the writes of a request. An unknown action that does not read counts as a write without a key.
func writesOf(target string, body []byte) (all []tableWrite) {
	type item struct {
		TableName string
		Item, Key map[string]struct{ S, B string }
	}
	var request struct {
		item
		TransactItems []map[string]item
	}
	_ = json.Unmarshal(body, &request) // a body that cannot be read names no table, and is refused
	_, action, _ := strings.Cut(target, ".")
	add := func(action string, i item) {
		w := tableWrite{action: action, table: i.TableName}
		for _, table := range tables.All() {
			if strings.Contains(i.TableName, deployed.Tables+table.Name) {
				value := cmp.Or(i.Item[table.Partition.Name], i.Key[table.Partition.Name])
				w.key = cmp.Or(value.S, value.B)
			}
		}
		all = append(all, w)
	}
	switch action {
	case "GetItem", "BatchGetItem", "Query", "TransactGetItems":
	case "TransactWriteItems":
		for _, members := range request.TransactItems {
			for name, i := range members {
				add(map[string]string{"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}[name], i)
			}
		}
	default:
		add(action, request.item)
	}
	return all
}

// guarded puts a guard before the tables of a synthesised stack and returns the guard. It returns nil for an endpoint
// without a certificate of its own, since only the MiniStack of this machine has one.
func guarded(t *testing.T, cloud rehearsal.Cloud) *guard {
	t.Helper()
	endpoint, err := url.Parse(cloud.Endpoint.URL())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := os.ReadFile(cloud.Endpoint["AWS_CA_BUNDLE"])
	if err != nil {
		t.Logf("there is no guard before the tables: %v", err)
		return nil
	}
	file := filepath.Join(string(cloud.Folder), "cdk.out", deployed.StackName(defaults().stage)+".template.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tpl, whole := &template{}, object{}
	if err := errors.Join(json.Unmarshal(text, tpl), json.Unmarshal(text, &whole)); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	g := newGuard(tpl, endpoint, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 100})
	for _, f := range routes.Functions() {
		logical, _ := tpl.function(t, f)
		get(whole, "Resources", logical, "Properties", "Environment", "Variables").(object)["AWS_ENDPOINT_URL_DYNAMODB"] = g.before(t, f)
	}
	if text, err = json.Marshal(whole); err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// settle reports the refused writes, and the functions whose writes the guard has not seen.
func (g *guard) settle(t *testing.T, seen ...routes.Function) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, what := range g.refused {
		t.Error(what)
	}
	for _, f := range seen {
		if g.written[f] == 0 {
			t.Errorf("the guard has seen no write of %s", f)
		}
	}
}

// For each call of the store, exactly the functions that need it must have a role that allows it. A call is several
// requests or items.
func TestRolesAllowTheCallsOfTheStore(t *testing.T) {
	tpl := of(t, plain)
	endpoint, err := url.Parse(awstest.DynamoDB(t))
	if err != nil {
		t.Fatal(err)
	}
	config := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), BaseEndpoint: aws.String(endpoint.String())}
	var names tables.Names
	for table, name := range map[string]*string{"config": &names.Config, "events": &names.Events, "deliveries": &names.Deliveries, "state": &names.State} {
		logical, _ := tpl.one(t, "AWS::DynamoDB::Table", deployed.Tables, table)
		*name = "parts-" + logical
	}
	if err := dynamo.CreateTables(t.Context(), config, names); err != nil {
		t.Fatal(err)
	}
	whole := dynamo.New(dynamo.Config{AWS: config, Tables: names})
	g := newGuard(tpl, endpoint, http.DefaultTransport)
	for name, c := range storeCalls(t, whole) {
		for _, f := range routes.Functions() {
			config.BaseEndpoint = aws.String(g.before(t, f))
			err := c.call(dynamo.New(dynamo.Config{AWS: config, Tables: names}))
			refusal, isAPI := errors.AsType[smithy.APIError](err)
			switch refused := isAPI && refusal.ErrorCode() == "AccessDeniedException"; {
			case err != nil && !refused:
				t.Errorf("%s %s: %v", f, name, err)
			case refused == slices.Contains(c.may, f):
				t.Errorf("%s %s: refused is %v", f, name, refused)
			}
		}
	}
}

// storeCall is one call of the store, and the functions that may make it.
type storeCall struct {
	may  []routes.Function
	call func(*dynamo.Store) error
}

// storeCalls returns the calls that write to config and state. The store whole, which may do everything, creates the
// items that they need.
func storeCalls(t *testing.T, whole *dynamo.Store) map[string]storeCall {
	ctx := t.Context()
	later := time.Now().Add(time.Hour)
	owners := []routes.Function{routes.Webhooks, routes.Console}
	newWebhook := func() *webhook.Webhook {
		name := ids.New(ids.Webhook, time.Now())
		return &webhook.Webhook{ID: name, Name: name}
	}
	stored := func() *webhook.Webhook {
		w := newWebhook()
		if err := whole.PutWebhook(ctx, w); err != nil {
			t.Fatal(err)
		}
		return w
	}
	job := func() *delivery.ReleaseJob {
		w := stored()
		w.Pause(time.Now())
		if err := whole.PutWebhook(ctx, w); err != nil {
			t.Fatal(err)
		}
		j := store.NewReleaseJob(w)
		return &j
	}
	client := func(s *dynamo.Store) (*access.Client, error) {
		_, list, err := whole.Clients(ctx)
		if err != nil {
			return nil, err
		}
		c := &access.Client{ID: ids.New(ids.Webhook, time.Now()), CreatedAt: time.Now()}
		return c, s.PutClient(ctx, c, list)
	}
	pair := func(purpose string) func(*dynamo.Store) error {
		return func(s *dynamo.Store) error {
			pairs, err := whole.KeyPairs(ctx, purpose)
			if err != nil {
				return err
			}
			newest := ""
			if len(pairs) > 0 {
				newest = pairs[len(pairs)-1].ID
			}
			return s.PutKeyPair(ctx, keypair.Pair{ID: ids.New(ids.Webhook, time.Now()), Purpose: purpose}, newest)
		}
	}
	return map[string]storeCall{
		"changes the settings": {[]routes.Function{routes.Settings, routes.Console}, func(s *dynamo.Store) error {
			set, err := whole.Settings(ctx)
			if err != nil {
				return err
			}
			return s.PutSettings(ctx, &set)
		}},
		"creates a webhook":  {owners, func(s *dynamo.Store) error { return s.PutWebhook(ctx, newWebhook()) }},
		"disables a webhook": {append(slices.Clone(owners), routes.Sender), func(s *dynamo.Store) error { return s.PutWebhook(ctx, stored()) }},
		"pauses a webhook": {append(slices.Clone(owners), routes.Sender), func(s *dynamo.Store) error {
			w := stored()
			w.Pause(time.Now())
			return s.PutWebhook(ctx, w)
		}},
		"works on a release job": {append(slices.Clone(owners), routes.Sender, routes.Sweeper), func(s *dynamo.Store) error {
			return s.PutReleaseJob(ctx, job())
		}},
		"deletes a release job": {[]routes.Function{routes.Sweeper}, func(s *dynamo.Store) error {
			j := job()
			return s.DeleteReleaseJob(ctx, j.Webhook, j.Version)
		}},
		"renames a webhook": {owners, func(s *dynamo.Store) error {
			w := stored()
			w.Name = "new " + w.Name
			return s.PutWebhook(ctx, w)
		}},
		"deletes a webhook": {owners, func(s *dynamo.Store) error { return s.DeleteWebhook(ctx, stored().ID, 0) }},
		"creates a project": {append(slices.Clone(owners), routes.Fanout), func(s *dynamo.Store) error {
			return s.PutProject(ctx, &project.Project{ID: ids.New(ids.Webhook, time.Now())})
		}},
		"creates a client": {[]routes.Function{routes.OAuth, routes.Console}, func(s *dynamo.Store) error {
			_, err := client(s)
			return err
		}},
		"deletes a client": {[]routes.Function{routes.OAuth, routes.Console}, func(s *dynamo.Store) error {
			c, err := client(whole)
			if err != nil {
				return err
			}
			_, list, err := whole.Clients(ctx)
			if err != nil {
				return err
			}
			return s.DeleteClient(ctx, c.ID, list)
		}},
		"creates a sealing key": {owners, pair(keypair.WebhookSecrets)},
		"creates a signing key": {[]routes.Function{routes.OAuth}, pair(keypair.TokenSigning)},
		"begins a session": {[]routes.Function{routes.Console}, func(s *dynamo.Store) error {
			return s.PutState(ctx, tables.Sessions+"x", nil, later)
		}},
		"ends a session": {[]routes.Function{routes.Console}, func(s *dynamo.Store) error { return s.DropState(ctx, tables.Sessions+"x") }},
		"revokes a token": {[]routes.Function{routes.OAuth}, func(s *dynamo.Store) error {
			return s.PutState(ctx, tables.Revocations+"x", nil, later)
		}},
		"removes a revocation": {nil, func(s *dynamo.Store) error { return s.DropState(ctx, tables.Revocations+"x") }},
		"counts a request": {routes.HTTP(), func(s *dynamo.Store) error {
			_, err := s.Count(ctx, tables.Rates+"x", 1, later)
			return err
		}},
		"counts a wrong secret": {[]routes.Function{routes.OAuth, routes.Console}, func(s *dynamo.Store) error {
			_, err := s.Count(ctx, tables.SignIns+"x", 1, later)
			return err
		}},
	}
}
