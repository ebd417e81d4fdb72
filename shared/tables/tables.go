// Package tables declares the four DynamoDB tables. Package dynamo reads and writes them, infra deploys them, and
// local and the tests create them.
//
// Attribute names are short because DynamoDB bills them with every item. CloudFormation chooses the names of deployed
// tables; [Names] holds them.
package tables

// Kind is the type of a key attribute in DynamoDB's notation.
type Kind string

// The kinds.
const (
	String Kind = "S"
	Number Kind = "N"
	Binary Kind = "B"
)

// Attribute is an attribute that is part of a key.
type Attribute struct {
	Name string
	Kind Kind
}

// Index is a global secondary index. It projects the keys only; the other attributes are read from the table.
type Index struct {
	Name      string
	Partition Attribute
	Sort      Attribute
}

// Table is a table that is billed per request.
type Table struct {
	// Name distinguishes the four tables. A deployment adds a prefix to it or chooses other names, see [Names].
	Name      string
	Partition Attribute
	// Sort is nil if the table has no sort key.
	Sort    *Attribute
	Indexes []Index
	// TTL names the attribute that holds the second after which DynamoDB may delete the item. It is empty if items of
	// the table do not expire.
	TTL string
	// Recovery asks for point-in-time recovery, because the data exists nowhere else.
	Recovery bool
}

// TTL is the name of the TTL attribute in every table that has one. DynamoDB deletes expired items late, so readers
// must check the expiry themselves.
const TTL = "t"

// Config holds what administrators configure: settings, webhooks with sealed secrets, projects, clients, key pairs
// and jobs. The partition key is the part that an item belongs to, and the sort key identifies the item in it.
var Config = Table{
	Name:      "config",
	Partition: Attribute{"p", String},
	Sort:      &Attribute{"s", String},
	Recovery:  true,
}

// Events holds each event with its plan under the key of the event (events.Key). Long plans continue in items with
// longer keys.
var Events = Table{
	Name:      "events",
	Partition: Attribute{"k", Binary},
	TTL:       TTL,
}

// Deliveries holds the rows of deliveries, by webhook and then by the time at which the event was received, newest
// last. Attempts that do not fit into the row are in partitions of their own, so listing rows does not read them.
var Deliveries = Table{
	Name:      "deliveries",
	Partition: Attribute{"p", Binary},
	Sort:      &Attribute{"s", Binary},
	Indexes:   []Index{Due, Dead, Held},
	TTL:       TTL,
}

// State holds data that may be lost: sessions, revocations, counters and the change log of the catalogue.
var State = Table{
	Name:      "state",
	Partition: Attribute{"k", String},
	TTL:       TTL,
}

// Due lists the deliveries that wait for the sweeper, by the time at which it must look at them.
var Due = Index{
	Name:      "due",
	Partition: Attribute{"dp", Number},
	Sort:      Attribute{"ds", Number},
}

// Dead lists the deliveries that need a person, by the time at which their event was received.
var Dead = Index{
	Name:      "dead",
	Partition: Attribute{"xp", Number},
	Sort:      Attribute{"xs", Binary},
}

// Held lists the deliveries that are held for a webhook, by the time at which their event was received. Its partition is
// the webhook, and its sort key is the sort key of the table.
var Held = Index{
	Name:      "held",
	Partition: Attribute{"hp", Binary},
	Sort:      Attribute{"s", Binary},
}

// IndexShards is the number of partitions over which the indexes Due and Dead are spread. A partition takes 1,000 writes
// a second. A delivery that fails costs three writes in its index: it enters, moves and leaves. So 16 shards allow about
// 5,000 failing deliveries a second. Each shard costs the sweeper one query a minute, all of them a few cents a month.
const IndexShards = 16

// All returns the tables.
func All() []Table { return []Table{Config, Events, Deliveries, State} }

// Names holds the names of the tables of one deployment.
type Names struct {
	Config, Events, Deliveries, State string
}

// Prefixed returns the names of the tables of a deployment that puts prefix before each name.
func Prefixed(prefix string) Names {
	return Names{
		Config:     prefix + Config.Name,
		Events:     prefix + Events.Name,
		Deliveries: prefix + Deliveries.Name,
		State:      prefix + State.Name,
	}
}

// Of returns the deployed name of a table.
func (n Names) Of(t Table) string {
	return map[string]string{
		Config.Name: n.Config, Events.Name: n.Events, Deliveries.Name: n.Deliveries, State.Name: n.State,
	}[t.Name]
}
