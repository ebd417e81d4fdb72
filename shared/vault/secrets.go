package vault

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"nepenthes/shared/fault"
)

// minCursorKey is the smallest number of bytes of a cursor key: that of the HMAC-SHA256 for which it is used.
const minCursorKey = 32

// Secrets reads the secrets of a deployment from Secrets Manager. It keeps nothing in memory.
type Secrets struct{ client *secretsmanager.Client }

// NewSecrets returns a Secrets. It does not call Secrets Manager.
func NewSecrets(config aws.Config) *Secrets {
	return &Secrets{secretsmanager.NewFromConfig(config)}
}

// Administrator returns the id and the secret of the first administrator client, which are stored as
// {"client_id":"…","client_secret":"…"}. It returns an error if one of them is missing, and a fault of kind Unavailable
// if Secrets Manager cannot be reached.
func (s *Secrets) Administrator(ctx context.Context, arn string) (id, secret string, err error) {
	defer fault.Wrap(&err, "read the administrator's secret")
	text, err := s.read(ctx, arn)
	if err != nil {
		return "", "", err
	}
	var client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	// The error of the decoder might contain a part of the secret.
	if json.Unmarshal([]byte(text), &client) != nil || client.ID == "" || client.Secret == "" {
		return "", "", errors.New(`the secret is not {"client_id":"…","client_secret":"…"}`)
	}
	return client.ID, client.Secret, nil
}

// CursorKey returns the key that protects the cursors of lists. It returns an error if the secret has fewer than 32
// bytes, and a fault of kind Unavailable if Secrets Manager cannot be reached.
func (s *Secrets) CursorKey(ctx context.Context, arn string) (key []byte, err error) {
	defer fault.Wrap(&err, "read the cursor key")
	text, err := s.read(ctx, arn)
	if err != nil {
		return nil, err
	}
	if len(text) < minCursorKey {
		return nil, errors.New("the secret is too short")
	}
	return []byte(text), nil
}

func (s *Secrets) read(ctx context.Context, arn string) (string, error) {
	value, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return "", classify(err)
	}
	return aws.ToString(value.SecretString), nil
}
