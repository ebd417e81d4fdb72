package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// secrets are the key that wraps key pairs, and the ARNs of the secrets that come with the stage.
type secrets struct {
	key                      awskms.Key
	administrator, cursorKey *string
}

// newSecrets makes them. Without the key no sealed value can be opened again, so it outlives the stack. The secrets
// need not: a new administrator secret takes the place of the old, and a new cursor key only ends cursors.
func newSecrets(scope constructs.Construct) secrets {
	return secrets{
		key: awskms.NewKey(scope, jsii.String("Key"), &awskms.KeyProps{
			Description:       jsii.String("Wraps the key pairs that seal webhook secrets and sign tokens"),
			EnableKeyRotation: jsii.Bool(true),
			RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
		}),
		administrator: newSecret(scope, "Administrator", &awssecretsmanager.CfnSecretProps{
			Description: jsii.String("The first administrator client: client_id and client_secret"),
			GenerateSecretString: generated(administratorSecretLength, func(g *awssecretsmanager.CfnSecret_GenerateSecretStringProperty) {
				g.SecretStringTemplate = jsii.String(`{"client_id":"administrator"}`)
				g.GenerateStringKey = jsii.String("client_secret")
			}),
		}),
		cursorKey: newSecret(scope, "CursorKey", &awssecretsmanager.CfnSecretProps{
			Description:          jsii.String("Protects the cursors of lists"),
			GenerateSecretString: generated(cursorKeyLength, nil),
		}),
	}
}

// Lengths of secrets made of 62 letters and digits: both have more than 256 bits.
const (
	administratorSecretLength = 43
	cursorKeyLength           = 64
)

// notInSecrets are the characters of ASCII that are neither letters nor digits: such a secret needs no quoting.
// (ExcludePunctuation means the same and is not known to every emulator.)
const notInSecrets = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ "

func generated(length float64, more func(*awssecretsmanager.CfnSecret_GenerateSecretStringProperty)) *awssecretsmanager.CfnSecret_GenerateSecretStringProperty {
	g := &awssecretsmanager.CfnSecret_GenerateSecretStringProperty{
		PasswordLength: jsii.Number(length), ExcludeCharacters: jsii.String(notInSecrets),
	}
	if more != nil {
		more(g)
	}
	return g
}

// newSecret gives the secret's ARN. It is asked for as an attribute, since Ref is the ARN in the cloud but a name
// in emulators.
func newSecret(scope constructs.Construct, name string, props *awssecretsmanager.CfnSecretProps) *string {
	return awssecretsmanager.NewCfnSecret(scope, jsii.String(name), props).AttrId()
}
