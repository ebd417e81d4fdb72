package vault_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"nepenthes/shared/awstest"
	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
	"nepenthes/shared/vault"
)

func TestTheKeyOfAnAliasIsCreatedOnce(t *testing.T) {
	cfg := aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(awstest.MiniStack(t)),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	const alias, others = "alias/ensured", 8
	ensured := make([]*vault.KMS, others)
	var starting sync.WaitGroup
	for i := range ensured {
		starting.Go(func() {
			var err error
			if ensured[i], err = vault.EnsureKMS(t.Context(), cfg, alias); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	if t.Failed() {
		return
	}
	_, wrapped, err := ensured[0].Make(t.Context(), keypair.WebhookSecrets)
	if err != nil {
		t.Fatal(err)
	}
	first := ok(ensured[0].Unwrap(t.Context(), keypair.WebhookSecrets, wrapped))(t)
	again := ok(vault.EnsureKMS(t.Context(), cfg, alias))(t)
	for i, k := range append(ensured, again) {
		if got, err := k.Unwrap(t.Context(), keypair.WebhookSecrets, wrapped); err != nil || !bytes.Equal(got, first) {
			t.Errorf("KMS %d does not unwrap the key of the first: %v", i, err)
		}
	}
}

func TestEnsureKMSFails(t *testing.T) {
	a, cfg := newAmazon(t)
	a.fail(503, "ServiceUnavailable", 100)
	if _, err := vault.EnsureKMS(t.Context(), cfg, "alias/a"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an outage: got %v, want an Unavailable fault", err)
	}
	a.fail(400, "AccessDeniedException", 100)
	if _, err := vault.EnsureKMS(t.Context(), cfg, "alias/a"); err == nil || fault.Is(err, fault.Unavailable) {
		t.Errorf("a missing permission: got %v, want an error that is not Unavailable", err)
	}
}
