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

// KMS is a Maker and an Unwrapper whose wrapping key never leaves AWS KMS. The permissions of the process decide
// whether it may make or unwrap, and for which purpose: the encryption context of every call is {"purpose": purpose}.
// Each stage has its own key, so a stage cannot unwrap the pairs of another.
type KMS struct {
	client *kms.Client
	keyID  string
}

// NewKMS returns a KMS that uses the symmetric key with the id, ARN or alias keyID. It does not call KMS.
func NewKMS(config aws.Config, keyID string) *KMS {
	return &KMS{kms.NewFromConfig(config), keyID}
}

// EnsureKMS returns a KMS that uses the symmetric key with an alias ("alias/…"), and creates the key if there is none.
// If several processes do so at the same time, all use the key that got the alias; the other keys stay unused.
// EnsureKMS returns a fault of kind Unavailable if KMS cannot be reached or is overloaded. It is for local and for
// tests: the key of a deployment comes from its template.
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

// create creates a key with the alias, unless another key has got the alias by then.
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

// Make has KMS make a key pair on P-256, whose private half never leaves KMS unwrapped. It returns a fault of kind
// Unavailable if KMS cannot be reached or is overloaded.
func (k *KMS) Make(ctx context.Context, purpose string) (publicKey, wrapped []byte, err error) {
	defer fault.Wrap(&err, "make a key pair for %s with KMS", purpose)
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

// Unwrap has KMS decrypt the private half. It returns a fault of kind Unavailable if KMS cannot be reached or is
// overloaded, and another error if KMS refuses.
func (k *KMS) Unwrap(ctx context.Context, purpose string, wrapped []byte) (privateKey []byte, err error) {
	defer fault.Wrap(&err, "unwrap a private key for %s with KMS", purpose)
	decrypted, err := k.client.Decrypt(ctx, &kms.DecryptInput{
		KeyId:             &k.keyID,
		CiphertextBlob:    wrapped,
		EncryptionContext: encryptionContext(purpose),
	})
	if err != nil {
		return nil, classify(err)
	}
	if len(decrypted.Plaintext) == 0 {
		return nil, errors.New("the response of KMS has no key")
	}
	return decrypted.Plaintext, nil
}

func encryptionContext(purpose string) map[string]string {
	return map[string]string{"purpose": purpose}
}

// retryAfter is how long a client should wait if AWS does not answer. The SDK has given up retrying by then.
const retryAfter = 5 * time.Second

// classify returns a fault of kind Unavailable for an error that may pass by itself. It returns any other error
// unchanged.
func classify(err error) error {
	if awsclient.IsTemporary(err) {
		return fault.New(fault.Unavailable, "The keys cannot be reached at the moment.").
			With("Send the request again in a few seconds.").After(retryAfter).Because(err)
	}
	return err
}
