package sqlite_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"nepenthes/shared/access"
	"nepenthes/shared/project"
	"nepenthes/shared/settings"
	"nepenthes/shared/signing"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/webhook"
)

// rowsOfVersion1 are rows as version 1 of the schema wrote them. Their JSON has the names of Go's fields, so these rows
// must stay readable when a field is renamed.
const rowsOfVersion1 = `
INSERT INTO config (kind, id, version, value) VALUES ('settings', '', 3, '{"APIEnabled":true,"MaxPageSize":77,
	"DocsEnabled":true,"CORSEnabled":true,"AllowedOrigins":["https://a.example"],"LockVersion":3,
	"UpdatedAt":"2026-01-02T11:00:00.123456789Z"}');
INSERT INTO config (kind, id, version, name, value) VALUES ('webhook', 'wh_01JABCDEFGHJKMNPQRSTVWXYZ0', 2, 'billing', '{
	"ID":"wh_01JABCDEFGHJKMNPQRSTVWXYZ0","Name":"Billing","PayloadURL":"https://b.example/","Description":"text",
	"Enabled":true,"DisabledReason":"gone","Subscription":{"Events":["project:*"],"Projects":{"All":true,"IDs":["7"]}},
	"PayloadFormat":"standard","LegacySignature":true,"Headers":[{"Name":"X-Team","Sealed":"AAEC"}],
	"Timeout":15000000000,"RetrySchedule":"short","Secrets":[{"ID":"sec_1","Kind":"ed25519","PublicKey":"whpk_1",
	"Sealed":"AwQF","CreatedAt":"2026-01-02T11:00:01Z","ExpiresAt":"2026-01-02T11:00:02Z"}],
	"StatusSince":"2026-01-02T11:00:03Z","LockVersion":2,"CreatedAt":"2026-01-02T11:00:04Z","UpdatedAt":"2026-01-02T11:00:05Z"}');
INSERT INTO config (kind, id, version, value) VALUES ('project', '7', 1, '{"ID":"7","Identifier":"plant","Name":"Plant",
	"Gone":true,"NewsAt":"2026-01-02T13:00:00+02:00","CreatedAt":"2026-01-02T11:00:06Z","Version":1}');
INSERT INTO config (kind, id, version, value) VALUES ('client', 'app_1', 1, '{"ID":"app_1","Name":"Console",
	"Scopes":["clients:write"],"Secrets":[{"ID":"sec_2","Hash":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,
	22,23,24,25,26,27,28,29,30,31,32],"CreatedAt":"2026-01-02T11:00:07Z","ExpiresAt":"0001-01-01T00:00:00Z"}],
	"LockVersion":1,"CreatedAt":"2026-01-02T11:00:08Z","UpdatedAt":"2026-01-02T11:00:09Z"}');
INSERT INTO config (kind, id, version, value) VALUES ('list of clients', '', 5, '');
`

func TestRowsOfVersion1CanBeRead(t *testing.T) {
	db := openStore(t, "", nil)
	err := sqlite.Write(db, t.Context(), func(conn *zombie.Conn) error {
		return sqlitex.ExecuteScript(conn, rowsOfVersion1, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	at := func(second int) time.Time { return time.Date(2026, 1, 2, 11, 0, second, 0, time.UTC) }

	gotSettings, err := db.Settings(t.Context())
	compare(t, gotSettings, err, settings.Settings{
		APIEnabled: true, MaxPageSize: 77, DocsEnabled: true, CORSEnabled: true,
		AllowedOrigins: []string{"https://a.example"}, LockVersion: 3, UpdatedAt: at(0).Add(123456789),
	})
	gotWebhook, err := db.Webhook(t.Context(), "wh_01JABCDEFGHJKMNPQRSTVWXYZ0")
	compare(t, gotWebhook, err, webhook.Webhook{
		ID: "wh_01JABCDEFGHJKMNPQRSTVWXYZ0", Name: "Billing", PayloadURL: "https://b.example/", Description: "text",
		Enabled: true, DisabledReason: webhook.Gone,
		Subscription: webhook.Subscription{
			Events: []string{"project:*"}, Projects: webhook.Projects{All: true, IDs: []string{"7"}},
		},
		PayloadFormat: webhook.FormatStandard, LegacySignature: true,
		Headers: []webhook.Header{{Name: "X-Team", Sealed: []byte{0, 1, 2}}},
		Timeout: 15 * time.Second, RetrySchedule: webhook.ScheduleShort,
		Secrets: []webhook.Secret{{
			ID: "sec_1", Kind: signing.Ed25519, PublicKey: "whpk_1", Sealed: []byte{3, 4, 5}, CreatedAt: at(1), ExpiresAt: at(2),
		}},
		StatusSince: at(3), LockVersion: 2, CreatedAt: at(4), UpdatedAt: at(5),
	})
	gotProjects, err := db.Projects(t.Context())
	compare(t, gotProjects, err, []project.Project{{
		ID: "7", Identifier: "plant", Name: "Plant", Gone: true, NewsAt: at(0), CreatedAt: at(6), Version: 1,
	}})
	secret := access.Secret{ID: "sec_2", CreatedAt: at(7)}
	for i := range secret.Hash {
		secret.Hash[i] = byte(i + 1)
	}
	gotClients, list, err := db.Clients(t.Context())
	compare(t, gotClients, err, []access.Client{{
		ID: "app_1", Name: "Console", Scopes: []access.Scope{access.ClientsWrite}, Secrets: []access.Secret{secret},
		LockVersion: 1, CreatedAt: at(8), UpdatedAt: at(9),
	}})
	compare(t, list, nil, 5)
}

// compare checks that err is nil and that got is want.
func compare[T any](t *testing.T, got T, err error, want T) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("difference (-want +got):\n%s", diff)
	}
}
