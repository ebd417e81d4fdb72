package tables

import "strings"

// What follows are parts of the config and the state table, each of which a role can be allowed to write by itself:
// the items of one partition or, where the part ends with a colon or a slash, of all partitions whose keys begin with
// it. A part keeps its name for ever, or what is stored would be lost.

// The parts of the config table. The sort key is the noun's id; where there is one noun only, it is the part's name
// again.
const (
	SettingsPart     = "settings"
	CatalogueVersion = "catalogue"
	WebhooksPart     = "webhook:" // and the shard
	WebhookNames     = "name"     // folded and hashed
	ProjectsPart     = "project"
	ClientsPart      = "client"
	ClientsVersion   = "clients"
	KeyPairsPart     = "keypair:" // and the purpose; sorted by number
)

// The parts of the state table: values and counters under the keys that their owners choose, and the catalogue's
// change log by version. They cannot meet.
const (
	ValuesPart    = "v:"
	CountersPart  = "c:"
	ChangeLogPart = "l:"
)

// What the keys of values begin with: ValuesPart and one of these is a part.
const (
	Sessions    = "session/"
	SessionUses = "session-use/"
	FormsSent   = "once/"
	Revocations = "revoked/"
)

// What the keys of counters begin with: CountersPart and one of these is a part.
const (
	SignIns = "sign-in/" // that failed or are not decided yet
	Rates   = "rate/"    // of a client's requests
)

// Pattern is the keys of a part's partitions as policies match them: dynamodb:LeadingKeys with StringLike.
func Pattern(part string) string {
	if strings.HasSuffix(part, ":") || strings.HasSuffix(part, "/") {
		return part + "*"
	}
	return part
}
