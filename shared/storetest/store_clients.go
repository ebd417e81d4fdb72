package storetest

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/keypair"
)

var clientCases = []storeCase{
	{"are read as they were written", (*storeTest).clientRoundTrip},
	{"can have empty members", (*storeTest).clientEmpty},
	{"are listed oldest first, then by id", (*storeTest).clientsInOrder},
	{"are not found before they are created", (*storeTest).clientUnknown},
	{"are not changed if the version differs", (*storeTest).clientVersion},
	{"are not changed if the version of the list differs", (*storeTest).clientListVersion},
	{"accept a repeated write", (*storeTest).clientTwice},
	{"are not both deleted by concurrent deletions", (*storeTest).clientsDeleteEachOther},
	{"are created by one of several writers with the same version of the list", (*storeTest).clientsAtOnce},
}

var keyPairCases = []storeCase{
	{"are absent at first", (*storeTest).keyPairsNone},
	{"are read as they were written, oldest first", (*storeTest).keyPairsRoundTrip},
	{"are separate for each purpose", (*storeTest).keyPairsByPurpose},
	{"are added only after the newest pair", (*storeTest).keyPairsAfterNewest},
	{"accept a repeated write", (*storeTest).keyPairTwice},
	{"are added by one of several concurrent writers", (*storeTest).keyPairsAtOnce},
}

func (t *storeTest) clientRoundTrip() {
	want := fullClient("Billing")
	checkFilled(t, want)
	c := want
	c.LockVersion = 0
	t.ok(t.PutClient(t.Context(), &c, 0))
	same(t, "the value that was put", c, want)
	got, err := t.Client(t.Context(), want.ID)
	t.ok(err)
	same(t, "the client", got, want)
	t.clientsAre(1, want)
}

func (t *storeTest) clientEmpty() {
	c := t.client("Billing", 0)
	empty := access.Client{ID: c.ID, LockVersion: 1}
	t.ok(t.PutClient(t.Context(), &empty, 1))
	t.clientsAre(2, access.Client{ID: c.ID, LockVersion: 2})
}

func (t *storeTest) clientsInOrder() {
	var want []access.Client
	for i := range 9 {
		c := access.Client{ID: newID(id.Client), CreatedAt: epoch.Add(-time.Duration(i/3) * time.Second)}
		t.ok(t.PutClient(t.Context(), &c, int64(i)))
		want = append(want, c)
	}
	slices.SortFunc(want, func(a, b access.Client) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	t.clientsAre(9, want...)
}

func (t *storeTest) clientUnknown() {
	_, err := t.Client(t.Context(), newID(id.Client))
	t.fails(err, fault.NotFound)
	t.fails(t.DeleteClient(t.Context(), newID(id.Client), 0), fault.NotFound)
	t.fails(t.PutClient(t.Context(), &access.Client{ID: newID(id.Client), LockVersion: 1}, 0), fault.NotFound)
	t.clientsAre(0)
}

func (t *storeTest) clientVersion() {
	stored := t.client("Billing", 0)
	for _, version := range []int64{0, 2} {
		c := access.Client{ID: stored.ID, Name: "Other", LockVersion: version}
		t.fails(t.PutClient(t.Context(), &c, 1), fault.UpdateConflict)
		same(t, "the version of the refused value", c.LockVersion, version)
	}
	t.clientsAre(1, stored)
}

// clientListVersion checks that a rule about all clients holds even if two different clients are changed.
func (t *storeTest) clientListVersion() {
	stored := t.client("Billing", 0)
	for _, list := range []int64{0, 2} {
		c := stored
		c.Name = "Changed"
		t.fails(t.PutClient(t.Context(), &c, list), fault.UpdateConflict)
		same(t, "the version of the refused value", c.LockVersion, 1)
		other := fullClient("Other")
		other.LockVersion = 0
		t.fails(t.PutClient(t.Context(), &other, list), fault.UpdateConflict)
		t.fails(t.DeleteClient(t.Context(), stored.ID, list), fault.UpdateConflict)
	}
	t.clientsAre(1, stored)
	t.ok(t.DeleteClient(t.Context(), stored.ID, 1))
	t.clientsAre(2)
}

func (t *storeTest) clientTwice() {
	c := fullClient("Billing")
	c.LockVersion = 0
	again := c
	t.ok(t.PutClient(t.Context(), &c, 0))
	t.ok(t.PutClient(t.Context(), &again, 0))
	same(t, "the value that was put again", again, c)
	t.clientsAre(1, c)
}

// clientsDeleteEachOther lets two clients delete each other at the same time. One of them must remain, as at least one
// client must be able to administer.
func (t *storeTest) clientsDeleteEachOther() {
	for i := range writers {
		_, list, err := t.Clients(t.Context())
		t.ok(err)
		pair := [2]access.Client{t.client("A"+strconv.Itoa(i), list), t.client("B"+strconv.Itoa(i), list+1)}
		errs := atOnce(2, func(i int) error { return t.DeleteClient(t.Context(), pair[1-i].ID, list+2) })
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("got errors %v, want exactly one error", errs)
		}
		t.fails(cmp.Or(errs[0], errs[1]), fault.UpdateConflict)
	}
}

func (t *storeTest) clientsAtOnce() {
	t.oneWins(fault.UpdateConflict, func(i int) error {
		return t.PutClient(t.Context(), &access.Client{ID: newID(id.Client), Name: strconv.Itoa(i)}, 0)
	})
}

// client creates a client if the list has the given version, and returns the stored client.
func (t *storeTest) client(name string, list int64) access.Client {
	t.Helper()
	c := fullClient(name)
	c.LockVersion = 0
	t.ok(t.PutClient(t.Context(), &c, list))
	return c
}

func (t *storeTest) clientsAre(version int64, want ...access.Client) {
	t.Helper()
	got, list, err := t.Clients(t.Context())
	t.ok(err)
	same(t, "the list of clients", got, want)
	same(t, "the version of the list", list, version)
}

func (t *storeTest) keyPairsNone() {
	t.keyPairsAre(keypair.TokenSigning)
}

func (t *storeTest) keyPairsRoundTrip() {
	// The pairs are listed in the order of creation, which neither their ids nor their times show.
	pairs := []keypair.Pair{
		fullKeyPair(keypair.TokenSigning, "key_b"),
		fullKeyPair(keypair.TokenSigning, "key_c"),
		fullKeyPair(keypair.TokenSigning, "key_a"),
	}
	checkFilled(t, pairs[0])
	after := ""
	for _, pair := range pairs {
		t.ok(t.PutKeyPair(t.Context(), pair, after))
		after = pair.ID
	}
	t.keyPairsAre(keypair.TokenSigning, pairs...)
}

func (t *storeTest) keyPairsByPurpose() {
	signing, sealing := fullKeyPair(keypair.TokenSigning, "key_1"), fullKeyPair(keypair.WebhookSecrets, "key_2")
	t.ok(t.PutKeyPair(t.Context(), signing, ""))
	t.ok(t.PutKeyPair(t.Context(), sealing, ""))
	t.keyPairsAre(keypair.TokenSigning, signing)
	t.keyPairsAre(keypair.WebhookSecrets, sealing)
}

// keyPairsAfterNewest checks that two processes that rotate the keys at the same time add only one pair.
func (t *storeTest) keyPairsAfterNewest() {
	first, second := fullKeyPair(keypair.TokenSigning, "key_1"), fullKeyPair(keypair.TokenSigning, "key_2")
	late := fullKeyPair(keypair.TokenSigning, "key_3")
	t.fails(t.PutKeyPair(t.Context(), late, "key_1"), fault.UpdateConflict)
	t.ok(t.PutKeyPair(t.Context(), first, ""))
	t.ok(t.PutKeyPair(t.Context(), second, "key_1"))
	for _, after := range []string{"", "key_1", "key_3"} {
		t.fails(t.PutKeyPair(t.Context(), late, after), fault.UpdateConflict)
	}
	t.keyPairsAre(keypair.TokenSigning, first, second)
}

func (t *storeTest) keyPairTwice() {
	pair := fullKeyPair(keypair.TokenSigning, "key_1")
	t.ok(t.PutKeyPair(t.Context(), pair, ""))
	t.ok(t.PutKeyPair(t.Context(), pair, ""))
	t.keyPairsAre(keypair.TokenSigning, pair)
}

func (t *storeTest) keyPairsAtOnce() {
	t.oneWins(fault.UpdateConflict, func(i int) error {
		return t.PutKeyPair(t.Context(), fullKeyPair(keypair.TokenSigning, "key_"+strconv.Itoa(i)), "")
	})
}

func (t *storeTest) keyPairsAre(purpose string, want ...keypair.Pair) {
	t.Helper()
	got, err := t.KeyPairs(t.Context(), purpose)
	t.ok(err)
	same(t, "the key pairs", got, want)
}
