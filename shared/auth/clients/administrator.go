package clients

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/auth"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
)

const (
	// administratorName is what the first administrator is called until somebody changes it.
	administratorName = "Administrator"
	// administratorSecretID begins the id of a client's secret that was put there from outside and follows its
	// source; another value has another id, so that sessions end with the value that opened them. Once somebody
	// has removed it through the API, the source opens this client no more.
	administratorSecretID id.Prefix = "sec_administrator_"
	// presentAge is how long a changed administrator secret may go unnoticed.
	presentAge = time.Minute
	// presentRest is how long its source is left alone after a reading in any case.
	presentRest = time.Second
)

// AdministratorConfig is what an Administrator is made of.
type AdministratorConfig struct {
	Store Store
	// Secret reads the id and secret of the first administrator from where the deployment keeps them; nil where
	// there is no such place.
	Secret func(context.Context) (id, secret string, err error)
	// Now is the time; nil means time.Now.
	Now func() time.Time
}

// Administrator makes the first client, without which nobody could make any. It is safe for concurrent use.
type Administrator struct {
	AdministratorConfig

	asking chan struct{} // full while somebody uses the fields below: a lock that a waiting request can give up
	last   reading
}

// reading is what Secret said at a time; the secret itself is not kept.
type reading struct {
	at    time.Time
	admin administrator
	err   error
}

type administrator struct {
	id   string
	hash [sha256.Size]byte
}

// NewAdministrator makes an Administrator; it panics when the store is missing.
func NewAdministrator(c AdministratorConfig) *Administrator {
	if c.Store == nil {
		panic("clients: a part of AdministratorConfig is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Administrator{AdministratorConfig: c, asking: make(chan struct{}, 1)}
}

// Client gives the client with the id, NotFound when there is none: the store's answer, but for the first
// administrator. That one is made when it is asked for while nobody can administer, and follows its secret: a
// value that was replaced at its source opens nothing, and the new one opens, within presentAge. So whoever
// authenticates clients reads them here.
func (a *Administrator) Client(ctx context.Context, clientID string) (access.Client, error) {
	client, err := a.Store.Client(ctx, clientID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return access.Client{}, err
	}
	missing := err != nil
	given := administratorSecret(client)
	if a.Secret == nil || !missing && given == nil {
		return client, err
	}
	current := func(admin administrator) bool { return admin.id != clientID || !missing && admin.hash == given.Hash }
	present, readErr := a.present(ctx, presentAge)
	if readErr == nil && !current(present) {
		// Another function may know a newer value and have stored it: look again before writing.
		present, readErr = a.present(ctx, presentRest)
	}
	if readErr != nil {
		return access.Client{}, readErr
	}
	if current(present) {
		return client, err
	}
	return a.install(ctx, present, false)
}

// present gives the administrator as Secret knew it at most maxAge ago. One request at a time asks, since that
// may be slow and costs money; the others wait for what it hears. A failure is not asked about again for
// presentRest.
func (a *Administrator) present(ctx context.Context, maxAge time.Duration) (_ administrator, err error) {
	defer fault.Wrap(&err, "look up the administrator")
	select {
	case a.asking <- struct{}{}:
		defer func() { <-a.asking }()
	case <-ctx.Done():
		return administrator{}, ctx.Err()
	}
	if a.last.err != nil {
		maxAge = presentRest
	}
	now := a.Now()
	if !a.last.at.IsZero() && now.Sub(a.last.at) < maxAge {
		return a.last.admin, a.last.err
	}
	r := reading{at: now}
	id, secret, err := a.Secret(ctx)
	if r.err = err; err == nil {
		r.admin, r.err = newAdministrator(id, secret)
	}
	if ctx.Err() == nil { // who went away has learnt nothing about the source
		a.last = r
	}
	return r.admin, r.err
}

func newAdministrator(id, secret string) (administrator, error) {
	if !auth.WellFormed(id, secret) {
		return administrator{}, errors.New("an administrator's id is 1 to 128 letters, digits and . _ ~ - (not first), " +
			"its secret 1 to 512 printable ASCII characters")
	}
	return administrator{id: id, hash: sha256.Sum256([]byte(secret))}, nil
}

func fromOutside(s access.Secret) bool { return strings.HasPrefix(s.ID, string(administratorSecretID)) }

// administratorSecret gives the client's secret that follows its source, nil when it has none.
func administratorSecret(c access.Client) *access.Secret {
	i := slices.IndexFunc(c.Secrets, fromOutside)
	if i < 0 {
		return nil
	}
	return &c.Secrets[i]
}

// Ensure makes the client with every scope, or gives it this secret besides those that it has; of
// two live ones the older goes. A client that is there keeps its name and scopes. It fails when id or secret
// have not the form of one, and changes nothing when the secret opens already.
func (a *Administrator) Ensure(ctx context.Context, id, secret string) (err error) {
	defer fault.Wrap(&err, "ensure the administrator client")
	admin, err := newAdministrator(id, secret)
	if err != nil {
		return err
	}
	_, err = a.install(ctx, admin, true)
	return err
}

// Make ensures an administrator with the id and a new secret, and gives that, unless some client can
// administer already: then made is false and nothing happens.
func (a *Administrator) Make(ctx context.Context, id string) (secret string, made bool, err error) {
	defer fault.Wrap(&err, "make the first administrator client")
	all, _, err := a.Store.Clients(ctx)
	if err != nil || administered(all, a.Now()) {
		return "", false, err
	}
	secret = newSecret()
	if err := a.Ensure(ctx, id, secret); err != nil {
		return "", false, err
	}
	return secret, true, nil
}

// install stores the secret of the administrator. Unless forced it respects what was decided through the API:
// an administrator that was deleted stays deleted (NotFound) as long as another client can administer, and one
// whose secret was removed does not get it back.
func (a *Administrator) install(ctx context.Context, admin administrator, force bool) (client access.Client, err error) {
	err = retried(ctx, func() error {
		all, list, err := a.Store.Clients(ctx)
		if err != nil {
			return err
		}
		now := moment(a.Now())
		i := slices.IndexFunc(all, func(c access.Client) bool { return c.ID == admin.id })
		switch {
		case i < 0 && !force && administered(all, now):
			return errNoClient()
		case i < 0:
			client = access.Client{ID: admin.id, Name: administratorName, Scopes: access.AdministratorScopes(), CreatedAt: now}
		default:
			client = all[i]
			if opens(client, admin, now) || !force && administratorSecret(client) == nil {
				return nil
			}
		}
		client.Secrets = withAdministratorSecret(client.Secrets, admin.hash, now)
		client.UpdatedAt = now
		return a.Store.PutClient(ctx, &client, list)
	})
	return client, err
}

// opens reports whether the administrator's secret is one of the client's already.
func opens(client access.Client, admin administrator, now time.Time) bool {
	return slices.ContainsFunc(client.Secrets, func(s access.Secret) bool { return s.Hash == admin.hash && s.Live(now) })
}

// administered reports whether one of the clients could make and change clients.
func administered(clients []access.Client, now time.Time) bool {
	return slices.ContainsFunc(clients, func(c access.Client) bool { return c.CanAdminister(now) })
}

// withAdministratorSecret gives the live secrets, with this one for the one that follows its source.
func withAdministratorSecret(secrets []access.Secret, hash [sha256.Size]byte, now time.Time) []access.Secret {
	var rest []access.Secret
	for _, s := range secrets {
		if s.Live(now) && !fromOutside(s) {
			rest = append(rest, s)
		}
	}
	rest = rest[max(0, len(rest)-(auth.SecretsMax-1)):]
	return append(rest, access.Secret{ID: id.New(administratorSecretID, now), Hash: hash, CreatedAt: now})
}
