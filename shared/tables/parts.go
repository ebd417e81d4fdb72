package tables

import "strings"

// The following constants name parts of the config table and of the state table. A role can be allowed to write single
// parts. A part that ends with a colon or a slash holds all partitions whose keys begin with it; any other part holds
// one partition. The name of a part must never change, or its stored items would be lost.

// The parts of the config table. The sort key is the id of the item. A part that holds a single item has its own name
// as the sort key.
const (
	SettingsPart     = "settings"
	CatalogueVersion = "catalogue"
	WebhooksPart     = "webhook:" // followed by the shard
	WebhookNames     = "name"     // sorted by the hash of the folded name
	ProjectsPart     = "project"
	ClientsPart      = "client"
	ClientsVersion   = "clients"
	KeyPairsPart     = "keypair:" // followed by the purpose; sorted by number
	JobsPart         = "jobs"     // what the sweeper works on; sorted by webhook and kind of job
)

// The parts of the state table. Values and counters have keys that their owners choose. The entries of the catalogue's
// change log have their version as the key. The prefixes keep the three apart.
const (
	ValuesPart    = "v:"
	CountersPart  = "c:"
	ChangeLogPart = "l:"
)

// The prefixes of the keys of values. ValuesPart followed by a prefix is a part.
const (
	Sessions    = "session/"
	SessionUses = "session-use/"
	FormsSent   = "once/"
	Revocations = "revoked/"
)

// The prefixes of the keys of counters. CountersPart followed by a prefix is a part.
const (
	SignIns = "sign-in/" // sign-ins that failed or are still in progress
	Rates   = "rate/"    // requests of a client
)

// Pattern returns the pattern that matches the partition keys of a part in an IAM policy: dynamodb:LeadingKeys with
// StringLike.
func Pattern(part string) string {
	if strings.HasSuffix(part, ":") || strings.HasSuffix(part, "/") {
		return part + "*"
	}
	return part
}
