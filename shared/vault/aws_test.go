package vault_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
	"nepenthes/shared/vault"
	"nepenthes/shared/webhook"
)

// amazon is a server with the JSON protocol and the cryptography of KMS and Secrets Manager. Tests can make it refuse
// or fail.
type amazon struct {
	aead    cipher.AEAD
	secrets map[string]string       // by ARN
	outage  atomic.Pointer[refusal] // the error of the next calls; nil if they succeed
	calls   atomic.Int64
}

// refusal is an error that AWS returns for a number of calls.
type refusal struct {
	status int
	code   string
	times  int64
}

// request has the members of all operations that the server knows.
type request struct {
	KeyID             string `json:"KeyId"`
	KeyPairSpec       string
	CiphertextBlob    []byte
	EncryptionContext map[string]string
	SecretID          string `json:"SecretId"`
}

const (
	stageKey = "arn:aws:kms:eu-central-1:111122223333:key/of-this-stage"
	adminARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin"
)

func newAmazon(t *testing.T) (*amazon, aws.Config) {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	block := ok(aes.NewCipher(key))(t)
	a := &amazon{aead: ok(cipher.NewGCMWithRandomNonce(block))(t), secrets: map[string]string{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return a, aws.Config{
		Region:       "eu-central-1",
		BaseEndpoint: aws.String(server.URL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "key"}, nil
		}),
		HTTPClient: server.Client(),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}
}

// fail makes the next calls return an error.
func (a *amazon) fail(status int, code string, times int64) {
	a.calls.Store(0)
	a.outage.Store(&refusal{status, code, times})
}

func (a *amazon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := a.calls.Add(1)
	if out := a.outage.Load(); out != nil && call <= out.times {
		answer(w, out.status, map[string]string{"__type": out.code, "message": "no"})
		return
	}
	var in request
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"__type": "SerializationException"})
		return
	}
	out, err := a.serve(r.Header.Get("X-Amz-Target"), in)
	if err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"__type": err.Error()})
		return
	}
	answer(w, http.StatusOK, out)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func (a *amazon) serve(target string, in request) (map[string]any, error) {
	bound := fmt.Append(nil, in.KeyID, in.EncryptionContext) // maps print in order
	switch target {
	case "TrentService.GenerateDataKeyPairWithoutPlaintext":
		return a.generate(in.KeyPairSpec, bound)
	case "TrentService.Decrypt":
		plain, err := a.aead.Open(nil, nil, in.CiphertextBlob, bound)
		if err != nil {
			return nil, errors.New("InvalidCiphertextException")
		}
		return map[string]any{"KeyId": in.KeyID, "Plaintext": plain}, nil
	case "secretsmanager.GetSecretValue":
		text, ok := a.secrets[in.SecretID]
		if !ok {
			return nil, errors.New("ResourceNotFoundException")
		}
		return map[string]any{"ARN": in.SecretID, "SecretString": text}, nil
	}
	return nil, errors.New("UnknownOperationException")
}

func (a *amazon) generate(spec string, bound []byte) (map[string]any, error) {
	if spec != "ECC_NIST_P256" {
		return nil, errors.New("ValidationException")
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	return map[string]any{"PublicKey": public, "PrivateKeyCiphertextBlob": a.aead.Seal(nil, nil, der, bound)}, nil
}

func TestKMSMakesPairsThatSealAndOpen(t *testing.T) {
	amazon, config := newAmazon(t)
	store, keys := new(table), vault.NewKMS(config, stageKey)
	sealer := vault.NewSealer(vault.SealerConfig{Pairs: store, Maker: keys})
	opener := vault.NewOpener(vault.OpenerConfig{Pairs: store, Unwrapper: keys})
	for i := range 10 {
		sealed := ok(sealer.Seal(t.Context(), []byte(secret), webhook.SecretInfo("wh_1", fmt.Sprint(i))))(t)
		got := ok(opener.Open(t.Context(), sealed, webhook.SecretInfo("wh_1", fmt.Sprint(i))))(t)
		if string(got) != secret {
			t.Errorf("got %q, want the secret", got)
		}
	}
	if got := amazon.calls.Load(); got != 2 {
		t.Errorf("got %d calls of KMS for ten secrets, want 2: one to make and one to unwrap", got)
	}
}

func TestKMSBindsAPairToItsPurposeAndStage(t *testing.T) {
	_, config := newAmazon(t)
	keys := vault.NewKMS(config, stageKey)
	_, wrapped, err := keys.Make(t.Context(), keypair.WebhookSecrets)
	if err != nil {
		t.Fatal(err)
	}
	ok(keys.Unwrap(t.Context(), keypair.WebhookSecrets, wrapped))(t)
	refuses := func(t *testing.T, keys *vault.KMS, purpose string, wrapped []byte) {
		t.Helper()
		key, err := keys.Unwrap(t.Context(), purpose, wrapped)
		if err == nil || key != nil {
			t.Fatalf("got a key of %d bytes, %v, want a refusal", len(key), err)
		}
		if got := fault.From(err).Kind; got != fault.Internal {
			t.Errorf("got kind %v, want Internal", got)
		}
	}
	t.Run("another purpose", func(t *testing.T) { refuses(t, keys, keypair.TokenSigning, wrapped) })
	t.Run("another stage", func(t *testing.T) {
		refuses(t, vault.NewKMS(config, stageKey+"-not"), keypair.WebhookSecrets, wrapped)
	})
	t.Run("altered", func(t *testing.T) {
		wrapped[len(wrapped)-1] ^= 1
		refuses(t, keys, keypair.WebhookSecrets, wrapped)
	})
}

func TestAnOutageOfKMS(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		code   string
		kind   fault.Kind
	}{
		{"throttled", 400, "ThrottlingException", fault.Unavailable},
		{"broken", 500, "KMSInternalException", fault.Unavailable},
		{"overloaded", 503, "DependencyTimeoutException", fault.Unavailable},
		{"not permitted", 400, "AccessDeniedException", fault.Internal},
		{"the key is switched off", 400, "DisabledException", fault.Internal},
	} {
		t.Run(c.name, func(t *testing.T) {
			amazon, config := newAmazon(t)
			keys := vault.NewKMS(config, stageKey)
			_, wrapped, err := keys.Make(t.Context(), keypair.TokenSigning)
			if err != nil {
				t.Fatal(err)
			}
			amazon.fail(c.status, c.code, 100)
			_, _, err = keys.Make(t.Context(), keypair.TokenSigning)
			checkKind(t, "making", err, c.kind)
			_, err = keys.Unwrap(t.Context(), keypair.TokenSigning, wrapped)
			checkKind(t, "unwrapping", err, c.kind)
		})
	}
	t.Run("that passes is retried", func(t *testing.T) {
		amazon, config := newAmazon(t)
		amazon.fail(500, "KMSInternalException", 1)
		if _, _, err := vault.NewKMS(config, stageKey).Make(t.Context(), keypair.TokenSigning); err != nil {
			t.Error(err)
		}
	})
	t.Run("unreachable", func(t *testing.T) {
		_, config := newAmazon(t)
		config.BaseEndpoint = aws.String("http://127.0.0.1:1")
		_, err := vault.NewKMS(config, stageKey).Unwrap(t.Context(), keypair.TokenSigning, []byte("wrapped"))
		checkKind(t, "unwrapping", err, fault.Unavailable)
	})
	t.Run("that lasts ends with the caller's context", func(t *testing.T) {
		_, config := newAmazon(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := vault.NewKMS(config, stageKey).Unwrap(ctx, keypair.TokenSigning, []byte("wrapped"))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
}

func checkKind(t *testing.T, doing string, err error, want fault.Kind) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: got no error", doing)
		return
	}
	f := fault.From(err)
	if f.Kind != want || (want == fault.Unavailable) != (f.RetryAfter > 0) {
		t.Errorf("%s: got %v after %v: %v, want %v", doing, f.Kind, f.RetryAfter, err, want)
	}
}

func TestAdministratorSecret(t *testing.T) {
	amazon, config := newAmazon(t)
	secrets := vault.NewSecrets(config)
	amazon.secrets[adminARN] = `{"client_id":"app_1","client_secret":"hunter2","made":"by the stack"}`
	id, secret, err := secrets.Administrator(t.Context(), adminARN)
	if id != "app_1" || secret != "hunter2" || err != nil {
		t.Errorf("got %q, %q, %v", id, secret, err)
	}
	for name, text := range map[string]string{
		"not JSON":   "hunter2",
		"cut":        `{"client_id":"app_1","client_secret":"hunter2`,
		"no secret":  `{"client_id":"hunter2"}`,
		"no id":      `{"client_secret":"hunter2"}`,
		"wrong type": `{"client_id":"app_1","client_secret":["hunter2"]}`,
		"empty":      "",
	} {
		t.Run(name, func(t *testing.T) {
			amazon.secrets[adminARN] = text
			id, secret, err := secrets.Administrator(t.Context(), adminARN)
			if err == nil || id+secret != "" || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %q, %q, %v, want an error without the secret", id, secret, err)
			}
		})
	}
	t.Run("absent", func(t *testing.T) {
		if _, _, err := secrets.Administrator(t.Context(), "arn:absent"); err == nil || fault.Is(err, fault.Unavailable) {
			t.Errorf("got %v, want an error for the operator", err)
		}
	})
	t.Run("unreachable", func(t *testing.T) {
		amazon.fail(500, "InternalServiceError", 100)
		_, _, err := secrets.Administrator(t.Context(), adminARN)
		checkKind(t, "reading", err, fault.Unavailable)
	})
}

func TestCursorKey(t *testing.T) {
	amazon, config := newAmazon(t)
	secrets := vault.NewSecrets(config)
	amazon.secrets["arn:cursor"] = strings.Repeat("k", 32)
	if got := ok(secrets.CursorKey(t.Context(), "arn:cursor"))(t); string(got) != strings.Repeat("k", 32) {
		t.Errorf("got %q", got)
	}
	amazon.secrets["arn:cursor"] = strings.Repeat("k", 31)
	if key, err := secrets.CursorKey(t.Context(), "arn:cursor"); err == nil {
		t.Errorf("got a key of %d bytes, want a refusal", len(key))
	}
	if _, err := secrets.CursorKey(t.Context(), "arn:absent"); err == nil {
		t.Error("got a key from a secret that does not exist")
	}
}
