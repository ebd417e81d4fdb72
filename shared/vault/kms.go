package vault

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/fault"
)

// KMS is a Maker and an Unwrapper whose wrapping key never leaves AWS KMS. Who may make and who may unwrap,
// and for which purpose, is decided by the permissions of the process: the encryption context of every call
// is {"purpose": purpose}. Each stage has a key of its own, so a pair of one stage cannot be unwrapped by
// another.
type KMS struct {
	client *kms.Client
	keyID  string
}

// NewKMS makes a KMS over the symmetric key with the id, ARN or alias keyID. It calls nothing yet.
func NewKMS(config aws.Config, keyID string) *KMS {
	return &KMS{kms.NewFromConfig(config), keyID}
}

// EnsureKMS makes a KMS over the symmetric key with that alias ("alias/…"), and has KMS make the key when there is
// none. Of several that make it at once all use the one that got the alias; the keys of the others lie unused. It
// fails with an Unavailable fault when KMS cannot be reached or is overloaded. It is for local and for tests: a
// deployment's key comes from its template.
func EnsureKMS(ctx context.Context, config aws.Config, alias string) (_ *KMS, err error) {
	defer fault.Wrap(&err, "ensure the KMS key %s", alias)
	k := NewKMS(config, alias)
	_, err = k.client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &alias})
	if _, absent := errors.AsType[*types.NotFoundException](err); absent {
		err = k.create(ctx)
	}
	if err != nil {
		return nil, classify(err)
	}
	return k, nil
}

// create makes a key and gives it the alias, unless somebody else's key has it by then.
func (k *KMS) create(ctx context.Context) error {
	made, err := k.client.CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		return err
	}
	_, err = k.client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &k.keyID, TargetKeyId: made.KeyMetadata.KeyId})
	if _, taken := errors.AsType[*types.AlreadyExistsException](err); taken {
		return nil
	}
	return err
}

// Make has KMS make a pair on P-256; the private half is never seen outside KMS. It fails with an Unavailable
// fault when KMS cannot be reached or is overloaded.
func (k *KMS) Make(ctx context.Context, purpose string) (publicKey, wrapped []byte, err error) {
	defer fault.Wrap(&err, "have KMS make a key pair for %s", purpose)
	made, err := k.client.GenerateDataKeyPairWithoutPlaintext(ctx, &kms.GenerateDataKeyPairWithoutPlaintextInput{
		KeyId:             &k.keyID,
		KeyPairSpec:       types.DataKeyPairSpecEccNistP256,
		EncryptionContext: encryptionContext(purpose),
	})
	if err != nil {
		return nil, nil, classify(err)
	}
	return made.PublicKey, made.PrivateKeyCiphertextBlob, nil
}

// Unwrap has KMS decrypt the private half. It fails with an Unavailable fault when KMS cannot be reached or is
// overloaded, and with another error when it refuses.
func (k *KMS) Unwrap(ctx context.Context, purpose string, wrapped []byte) (privateKey []byte, err error) {
	defer fault.Wrap(&err, "have KMS unwrap a private key for %s", purpose)
	decrypted, err := k.client.Decrypt(ctx, &kms.DecryptInput{
		KeyId:             &k.keyID,
		CiphertextBlob:    wrapped,
		EncryptionContext: encryptionContext(purpose),
	})
	if err != nil {
		return nil, classify(err)
	}
	if len(decrypted.Plaintext) == 0 {
		return nil, errors.New("KMS answered without a key")
	}
	return decrypted.Plaintext, nil
}

func encryptionContext(purpose string) map[string]string {
	return map[string]string{"purpose": purpose}
}

// wait is how long a client is told to wait when AWS does not answer: its own retries are through by then.
const wait = 5 * time.Second

// classify returns a fault of kind Unavailable for an error that may pass by itself. It returns any other error
// unchanged.
func classify(err error) error {
	if awsclient.IsTemporary(err) {
		return fault.New(fault.Unavailable, "The keys cannot be reached just now.").
			With("Send the request again in a few seconds.").After(wait).Because(err)
	}
	return err
}
