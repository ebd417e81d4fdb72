package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"nepenthes/infra/deployed"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/keypair"
	"nepenthes/shared/lane"
	"nepenthes/shared/sqs"
	"nepenthes/shared/vault"
)

// redrive moves a lane's dead letters back to it.
func redrive(ctx context.Context, cfg aws.Config, a arguments) (string, error) {
	name := lane.Name(a.lane)
	if !slices.Contains(lane.Names(), name) {
		return "", fmt.Errorf("-lane is one of %v", lane.Names())
	}
	stage, err := deployed.Find(ctx, cfg, a.stage)
	if err != nil {
		return "", err
	}
	from, err := stage.QueueURL(name.DeadLetters())
	if err != nil {
		return "", err
	}
	to, err := stage.QueueURL(name)
	if err != nil {
		return "", err
	}
	moved, err := sqs.Redrive(ctx, sqs.New(cfg, from), sqs.New(cfg, to))
	return fmt.Sprintf("%d messages went back to %s", moved, name), err
}

// rotateKeys adds a key pair. What older ones sealed opens as before; what they signed is accepted for an hour.
func rotateKeys(ctx context.Context, cfg aws.Config, a arguments) (string, error) {
	if a.purpose != keypair.WebhookSecrets && a.purpose != keypair.TokenSigning {
		return "", fmt.Errorf("-purpose is %s or %s", keypair.WebhookSecrets, keypair.TokenSigning)
	}
	stage, err := deployed.Find(ctx, cfg, a.stage)
	if err != nil {
		return "", err
	}
	names, err := stage.Tables()
	if err != nil {
		return "", err
	}
	key, err := stage.KeyID()
	if err != nil {
		return "", err
	}
	store := dynamo.New(dynamo.Config{AWS: cfg, Tables: names})
	pair, err := vault.Rotate(ctx, store, vault.NewKMS(cfg, key), a.purpose, time.Now())
	return fmt.Sprintf("%s is the new key pair for %s; it is in use everywhere within two minutes", pair.ID, a.purpose), err
}

// unreserved is what Lambda keeps of an account's concurrency for functions that reserve none.
const unreserved = 100

// preflight checks that what the template reserves can be reserved in the account, together with what it has
// reserved for others already. Otherwise the deployment would fail half-way.
func preflight(ctx context.Context, cfg aws.Config, a arguments) (string, error) {
	text, err := os.ReadFile(a.template)
	if err != nil {
		return "", fmt.Errorf("%w: run cdk synth first", err)
	}
	reserved, err := reservedBy(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", a.template, err)
	}
	account, err := lambda.NewFromConfig(cfg).GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return "", err
	}
	limit, free := int(account.AccountLimit.ConcurrentExecutions), int(aws.ToInt32(account.AccountLimit.UnreservedConcurrentExecutions))
	if reserved > 0 && free-reserved < unreserved {
		return "", fmt.Errorf("the stack reserves a concurrency of %d, but of the account's %d only %d are free and %d must stay so: "+
			"reserve less (-c reservedConcurrency=…), or have the limit raised (Service Quotas, Lambda, concurrent executions)", reserved, limit, free, unreserved)
	}
	return fmt.Sprintf("the stack reserves a concurrency of %d; of the account's %d, %d are free", reserved, limit, free), nil
}

// reservedBy adds up what a template reserves.
func reservedBy(template []byte) (sum int, err error) {
	var t struct {
		Resources map[string]struct {
			Properties struct {
				Reserved int `json:"ReservedConcurrentExecutions"`
			}
		}
	}
	if err := json.Unmarshal(template, &t); err != nil {
		return 0, err
	}
	for _, r := range t.Resources {
		sum += r.Properties.Reserved
	}
	return sum, nil
}
