package vault

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"nepenthes/shared/fault"
)

// minCursorKey is how many bytes a cursor key needs: those of the HMAC-SHA256 that it is used for.
const minCursorKey = 32

// Secrets reads, from Secrets Manager, the secrets that come with a deployment. It keeps nothing in memory.
type Secrets struct{ client *secretsmanager.Client }

// NewSecrets makes a Secrets. It calls nothing yet.
func NewSecrets(config aws.Config) *Secrets {
	return &Secrets{secretsmanager.NewFromConfig(config)}
}

// Administrator returns the id and the secret of the first administrator client, which the secret holds as
// {"client_id":"…","client_secret":"…"}. It fails when one of them is missing, and with an Unavailable fault
// when Secrets Manager cannot be reached.
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
	// The decoder's own error might repeat some of the secret.
	if json.Unmarshal([]byte(text), &client) != nil || client.ID == "" || client.Secret == "" {
		return "", "", errors.New(`it is not {"client_id":"…","client_secret":"…"}`)
	}
	return client.ID, client.Secret, nil
}

// CursorKey returns the key that protects the cursors of lists. It fails when the secret has fewer than 32
// bytes, and with an Unavailable fault when Secrets Manager cannot be reached.
func (s *Secrets) CursorKey(ctx context.Context, arn string) (key []byte, err error) {
	defer fault.Wrap(&err, "read the cursor key")
	text, err := s.read(ctx, arn)
	if err != nil {
		return nil, err
	}
	if len(text) < minCursorKey {
		return nil, errors.New("it is too short")
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
