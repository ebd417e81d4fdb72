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
	"nepenthes/shared/required"
)

const (
	// administratorName is the name of the first administrator until somebody changes it.
	administratorName = "Administrator"
	// administratorSecretID is the prefix of the id of a secret that comes from the deployment and follows its
	// source. Each value has its own id, so sessions end when the value that opened them is replaced. Once such a
	// secret has been removed through the API, the source no longer opens this client.
	administratorSecretID id.Prefix = "sec_administrator_"
	// sourceAgeMax is how long a change of the administrator's secret may go unnoticed.
	sourceAgeMax = time.Minute
	// sourcePause is the shortest time between two reads of the source.
	sourcePause = time.Second
)

// AdministratorConfig has the parts of an Administrator.
type AdministratorConfig struct {
	Store Store
	// Secret reads the id and secret of the first administrator from their source, where the deployment keeps them.
	// It is nil when the deployment has no such source.
	Secret func(context.Context) (id, secret string, err error)
	// Now returns the current time. Nil means time.Now.
	Now func() time.Time
}

// Administrator creates the first client, without which nobody could create others. It is safe for concurrent use.
type Administrator struct {
	AdministratorConfig

	asking chan struct{} // a lock for the fields below that a waiting request can give up; held while it is full
	last   reading
}

// reading is a result of Secret and the time when it was read. It does not contain the secret itself.
type reading struct {
	at    time.Time
	admin administrator
	err   error
}

// administrator is the id and secret of the first administrator.
type administrator struct {
	id   string
	hash [sha256.Size]byte
}

// NewAdministrator returns a new Administrator. It panics if a dependency is missing.
func NewAdministrator(c AdministratorConfig) *Administrator {
	required.Fields(c)
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Administrator{AdministratorConfig: c, asking: make(chan struct{}, 1)}
}

// Client returns the client with the given id. It returns a fault of kind NotFound when there is no such client.
// Clients are read from the store, but the first administrator also follows its source: Client creates it when it is
// asked for while no client can administer, and takes over a new secret from the source within sourceAgeMax. From then
// on the replaced secret is refused. So code that authenticates clients must read them through Client.
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
	present, readErr := a.present(ctx, sourceAgeMax)
	if readErr == nil && !current(present) {
		// Another function may have read and stored a newer value. Read again before writing.
		present, readErr = a.present(ctx, sourcePause)
	}
	if readErr != nil {
		return access.Client{}, readErr
	}
	if current(present) {
		return client, err
	}
	return a.install(ctx, present, false)
}

// present returns the administrator as it was at the source at most maxAge ago. Only one request reads the source,
// since reading may be slow and costs money; other requests wait for its result. After a failure the source is not
// read again for sourcePause.
func (a *Administrator) present(ctx context.Context, maxAge time.Duration) (_ administrator, err error) {
	defer fault.Wrap(&err, "look up the administrator")
	select {
	case a.asking <- struct{}{}:
		defer func() { <-a.asking }()
	case <-ctx.Done():
		return administrator{}, ctx.Err()
	}
	if a.last.err != nil {
		maxAge = sourcePause
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
	if ctx.Err() == nil { // a caller that gave up has learned nothing about the source
		a.last = r
	}
	return r.admin, r.err
}

// newAdministrator returns the administrator with the id and secret. It returns an error if sign-in would never accept
// them. Only the hash of the secret stays in memory.
func newAdministrator(id, secret string) (administrator, error) {
	if !auth.WellFormed(id, secret) {
		return administrator{}, errors.New("an administrator's id must have 1 to 128 letters, digits and . _ ~ -, beginning with a " +
			"letter or digit; its secret must have 1 to 512 printable ASCII characters")
	}
	return administrator{id: id, hash: sha256.Sum256([]byte(secret))}, nil
}

func fromOutside(s access.Secret) bool { return strings.HasPrefix(s.ID, string(administratorSecretID)) }

// administratorSecret returns the client's secret that follows the source, or nil when the client has none.
func administratorSecret(c access.Client) *access.Secret {
	i := slices.IndexFunc(c.Secrets, fromOutside)
	if i < 0 {
		return nil
	}
	return &c.Secrets[i]
}

// Ensure creates the client with every scope, or adds the secret to an existing client. If that client already has two
// live secrets, the older one is removed. An existing client keeps its name and scopes. Ensure returns an error when
// the id or the secret is not well-formed, and changes nothing when the client already has the secret.
func (a *Administrator) Ensure(ctx context.Context, id, secret string) (err error) {
	defer fault.Wrap(&err, "ensure the administrator client")
	admin, err := newAdministrator(id, secret)
	if err != nil {
		return err
	}
	_, err = a.install(ctx, admin, true)
	return err
}

// Make ensures an administrator with the given id and a new secret, and returns the secret. When a client can already
// administer, Make does nothing and made is false.
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

// install stores the secret of the administrator. Without force it respects changes made through the API: a deleted
// administrator stays deleted (NotFound) as long as another client can administer, and a removed secret is not added
// again.
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

// opens reports whether the client already has the administrator's secret.
func opens(client access.Client, admin administrator, now time.Time) bool {
	return slices.ContainsFunc(client.Secrets, func(s access.Secret) bool { return s.Hash == admin.hash && s.Live(now) })
}

// administered reports whether one of the clients can create and change clients.
func administered(clients []access.Client, now time.Time) bool {
	return slices.ContainsFunc(clients, func(c access.Client) bool { return c.CanAdminister(now) })
}

// withAdministratorSecret returns the live secrets, with a new one in place of the one that follows the source.
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
