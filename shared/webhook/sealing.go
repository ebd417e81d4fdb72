package webhook

import (
	"encoding/binary"
	"fmt"
	"strings"

	"nepenthes/shared/address"
	"nepenthes/shared/keypair"
)

// Versions of sealed values. The version is the first byte of a sealed value and decides what it is bound to.
const (
	// SealVersionPlace binds to the webhook and the name. Nothing is sealed so any more; what was goes on opening.
	SealVersionPlace byte = 1
	// SealVersionOrigin binds to the kind as well, and the value of a header to the origin of the payload URL.
	SealVersionOrigin byte = 2
)

// The kinds of sealed values.
const (
	sealedSecret = "secret"
	sealedHeader = "header"
)

// SealInfo says what a sealed value is bound to. The value opens only with the SealInfo it was sealed with, so a value
// that was moved to another row opens nothing. SealInfos come from [SecretInfo] and [HeaderInfo] alone, for whoever
// seals and whoever opens; the zero SealInfo seals and opens nothing.
type SealInfo struct {
	kind, webhookID, name string
	payloadURL            string // of a header
}

// SecretInfo is what a signature secret is bound to.
func SecretInfo(webhookID, secretID string) SealInfo {
	return SealInfo{kind: sealedSecret, webhookID: webhookID, name: secretID}
}

// HeaderInfo is what the value of a custom header is bound to. The name counts in lower case, so its spelling may
// change. Of the payload URL, in the form in which it is kept, the origin counts: a value that was sealed for one
// receiver does not open for another, whoever wrote the URL into the row.
func HeaderInfo(webhookID, payloadURL, name string) SealInfo {
	return SealInfo{kind: sealedHeader, webhookID: webhookID, name: strings.ToLower(name), payloadURL: payloadURL}
}

// String names the value for errors, as in "secret sec_… of wh_…".
func (i SealInfo) String() string { return i.kind + " " + i.name + " of " + i.webhookID }

// Bytes encodes the info for sealed values of the version. Two infos that bind to different things have different
// bytes, also across versions. It fails for an unknown version, for an info without webhook or name, and, in
// [SealVersionOrigin], for a header whose payload URL has no origin.
//
// In both versions each part is preceded by its length. In version 1 the parts are the purpose of the key pair, the
// webhook's id and the name. In version 2 they are the purpose, the kind, the webhook's id, the name and, for a
// header, the origin; the byte 2 precedes them all, where version 1 has the length of the purpose.
func (i SealInfo) Bytes(version byte) ([]byte, error) {
	if i.webhookID == "" || i.name == "" {
		return nil, fmt.Errorf("a sealed value has no place: webhook %q, name %q", i.webhookID, i.name)
	}
	switch version {
	case SealVersionPlace:
		return appendParts(nil, keypair.WebhookSecrets, i.webhookID, i.name), nil
	case SealVersionOrigin:
		info := appendParts([]byte{version}, keypair.WebhookSecrets, i.kind, i.webhookID, i.name)
		if i.kind != sealedHeader {
			return info, nil
		}
		origin, err := address.Origin(i.payloadURL)
		if err != nil {
			return nil, fmt.Errorf("the payload URL of %s has no origin", i.webhookID)
		}
		return appendParts(info, origin), nil
	}
	return nil, fmt.Errorf("there is no version %d of sealed values", version)
}

func appendParts(info []byte, parts ...string) []byte {
	for _, part := range parts {
		info = append(binary.AppendUvarint(info, uint64(len(part))), part...)
	}
	return info
}
