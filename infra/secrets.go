package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// secrets holds the key that wraps key pairs, and the ARNs of the stage's secrets.
type secrets struct {
	key                      awskms.Key
	administrator, cursorKey *string
}

// newSecrets creates the key and the secrets. The key outlives the stack, because without it no sealed value can ever
// be opened. The secrets do not outlive it: a new administrator secret replaces the old one, and a new cursor key
// only invalidates cursors.
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

// Lengths of secrets that consist of the 62 letters and digits. Both secrets have more than 256 bits.
const (
	administratorSecretLength = 43
	cursorKeyLength           = 64
)

// notInSecrets has the printable ASCII characters that are neither letters nor digits. A secret without them needs no
// quoting. (ExcludePunctuation has the same meaning, but not every emulator supports it.)
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

// newSecret creates a secret and returns its ARN. The ARN is read as an attribute, since Ref is the ARN in the cloud
// but a name in emulators.
func newSecret(scope constructs.Construct, name string, props *awssecretsmanager.CfnSecretProps) *string {
	return awssecretsmanager.NewCfnSecret(scope, jsii.String(name), props).AttrId()
}
