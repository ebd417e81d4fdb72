package webhook

import (
	"encoding/binary"
	"fmt"
	"strings"

	"nepenthes/shared/address"
	"nepenthes/shared/keypair"
)

// Versions of sealed values. The version is the first byte of a sealed value. It decides what the value is bound to.
const (
	// SealVersionPlace binds a value to the webhook and the name. It is no longer used for sealing, but values of this
	// version can still be opened.
	SealVersionPlace byte = 1
	// SealVersionOrigin also binds a value to its kind, and the value of a header to the origin of the payload URL.
	SealVersionOrigin byte = 2
)

// The kinds of sealed values.
const (
	sealedSecret = "secret"
	sealedHeader = "header"
)

// SealInfo says what a sealed value is bound to. A value can be opened only with the SealInfo with which it was sealed,
// so a value that was copied to another row cannot be opened there. [SecretInfo] and [HeaderInfo] return the SealInfo
// for sealing and for opening. The zero SealInfo cannot be used.
type SealInfo struct {
	kind, webhookID, name string
	payloadURL            string // headers only
}

// SecretInfo returns what a signature secret is bound to.
func SecretInfo(webhookID, secretID string) SealInfo {
	return SealInfo{kind: sealedSecret, webhookID: webhookID, name: secretID}
}

// HeaderInfo returns what the value of a custom header is bound to: the webhook, the name in lower case, and the origin
// of the payload URL, which must be in its normal form. A value that was sealed for one receiver cannot be opened for
// another, even if somebody writes another URL into the row.
func HeaderInfo(webhookID, payloadURL, name string) SealInfo {
	return SealInfo{kind: sealedHeader, webhookID: webhookID, name: strings.ToLower(name), payloadURL: payloadURL}
}

// String returns a description of the value for errors, such as "secret sec_… of wh_…".
func (i SealInfo) String() string { return i.kind + " " + i.name + " of " + i.webhookID }

// Bytes encodes the SealInfo for sealed values of a version. If two SealInfos bind to different things, their encodings
// differ. The encodings for two versions always differ. Bytes returns an error for an unknown version, for a SealInfo
// without a webhook or a name, and in [SealVersionOrigin] for a header whose payload URL has no origin.
//
// In both versions the length of each part precedes the part. In version 1 the parts are the purpose of the key pair,
// the id of the webhook and the name. In version 2 they are the purpose, the kind, the id of the webhook, the name and,
// for a header, the origin. Version 2 begins with the byte 2, where version 1 has the length of the purpose.
func (i SealInfo) Bytes(version byte) ([]byte, error) {
	if i.webhookID == "" || i.name == "" {
		return nil, fmt.Errorf("a sealed value needs a webhook and a name, got webhook %q and name %q", i.webhookID, i.name)
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
	return nil, fmt.Errorf("unknown version %d of sealed values", version)
}

func appendParts(info []byte, parts ...string) []byte {
	for _, part := range parts {
		info = append(binary.AppendUvarint(info, uint64(len(part))), part...)
	}
	return info
}
