package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"nepenthes/infra/deployed"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/keypair"
	"nepenthes/shared/lane"
	"nepenthes/shared/redrive"
	"nepenthes/shared/routes"
	"nepenthes/shared/sqs"
	"nepenthes/shared/vault"
)

// redriveLane moves the dead letters of a lane back to the lane.
func redriveLane(ctx context.Context, cfg aws.Config, a arguments) (string, error) {
	name := lane.Name(a.lane)
	if !slices.Contains(lane.Names(), name) {
		return "", fmt.Errorf("-lane must be one of %v", lane.Names())
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
	dead, living := sqs.New(cfg, from), sqs.New(cfg, to)
	moved, err := sqs.Redrive(ctx, dead, living)
	if errors.Is(err, sqs.ErrCannotMove) {
		moved, err := redrive.Move(ctx, dead, living)
		return moved.Report(name), err
	}
	return redrive.Sentence(int(moved), name), err
}

// rotateKeys adds a key pair. Values that older pairs sealed can still be opened. Tokens that older pairs signed are
// accepted for an hour.
func rotateKeys(ctx context.Context, cfg aws.Config, a arguments) (string, error) {
	if a.purpose != keypair.WebhookSecrets && a.purpose != keypair.TokenSigning {
		return "", fmt.Errorf("-purpose must be %s or %s", keypair.WebhookSecrets, keypair.TokenSigning)
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

// unreserved is the part of an account's concurrency that Lambda keeps for functions that reserve none.
const unreserved = 100

// preflight checks that the account has as much concurrency left as the template reserves. Otherwise the deployment
// would fail half-way.
func preflight(ctx context.Context, cfg aws.Config, a arguments) (string, error) {
	template := filepath.Join("cdk.out", deployed.StackName(a.stage)+".template.json")
	text, err := os.ReadFile(template)
	if err != nil {
		return "", fmt.Errorf("%w: run cdk synth first", err)
	}
	wanted, err := reservedBy(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", template, err)
	}
	client := lambda.NewFromConfig(cfg)
	account, err := client.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return "", err
	}
	has, err := reservedIn(ctx, cfg, client, a.stage)
	if err != nil {
		return "", err
	}
	limit := int(account.AccountLimit.ConcurrentExecutions)
	free := int(aws.ToInt32(account.AccountLimit.UnreservedConcurrentExecutions)) + has
	return verdict(wanted, limit, free)
}

// verdict reports in a sentence whether the wanted concurrency can be reserved. It returns an error if not.
func verdict(wanted, limit, free int) (string, error) {
	if wanted > 0 && free-wanted < unreserved {
		return "", fmt.Errorf("the stack reserves a concurrency of %d, but of the account's %d only %d are free and %d must stay free: "+
			"reserve less (-c reservedConcurrency=…), or ask AWS to raise the limit (Service Quotas, Lambda, concurrent executions)", wanted, limit, free, unreserved)
	}
	return fmt.Sprintf("the stack reserves a concurrency of %d; of the account's %d, %d are free for it", wanted, limit, free), nil
}

// reservedIn returns the concurrency that the deployed stage has already reserved. It is 0 when the stage is not
// deployed yet.
func reservedIn(ctx context.Context, cfg aws.Config, client *lambda.Client, name string) (sum int, err error) {
	stage, err := deployed.Find(ctx, cfg, name)
	if errors.Is(err, deployed.ErrNone) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for _, f := range routes.HTTP() {
		function, err := stage.Function(f)
		if err != nil {
			return 0, err
		}
		reserved, err := client.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &function})
		if err != nil {
			return 0, err
		}
		sum += int(aws.ToInt32(reserved.ReservedConcurrentExecutions))
	}
	return sum, nil
}

// reservedBy returns the concurrency that a template reserves.
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
