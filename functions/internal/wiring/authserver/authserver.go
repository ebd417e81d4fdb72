// Package authserver builds the authorization server.
package authserver

import (
	"nepenthes/functions/internal/wiring"
	"nepenthes/functions/internal/wiring/httpapi"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/oauth"
	"nepenthes/shared/config"
	"nepenthes/shared/rest"
	"nepenthes/shared/vault"
)

// Mounts returns the routes of the authorization server.
func Mounts(b wiring.Base, c config.OAuth) []rest.Mount {
	kms := vault.NewKMS(b.AWS, c.KeyARN)
	signer := vault.NewSigner(vault.SignerConfig{Pairs: b.Store, Maker: kms, Unwrapper: kms})
	keys := vault.NewVerifier(vault.VerifierConfig{Pairs: b.Store})
	server := oauth.New(oauth.Config{
		Authenticator: httpapi.Authenticator(b, httpapi.Clients(b, c.AdministratorSecretARN)),
		Issuer:        auth.NewIssuer(auth.IssuerConfig{Keys: signer, Revocations: b.Store, Verifier: httpapi.Verifier(b, c.API)}),
		Keys:          keys, PublicURL: c.PublicURL(), Logger: b.Logger,
	})
	var mounts []rest.Mount
	for _, r := range server.Routes() {
		mounts = append(mounts, rest.Mount(r))
	}
	return mounts
}
