// Package tables declares the four DynamoDB tables once, for all who must agree on them: package dynamo reads and
// writes them, infra deploys them, local and the tests make them.
//
// Attribute names are short because they are billed with every item. The deployed tables have names that
// CloudFormation chose; [Names] carries those to the code.
package tables

// Kind is the type of a key attribute, spelt as DynamoDB spells it.
type Kind string

// The kinds.
const (
	String Kind = "S"
	Number Kind = "N"
	Binary Kind = "B"
)

// Attribute is an attribute that a key is made of.
type Attribute struct {
	Name string
	Kind Kind
}

// Index is a global secondary index. It projects the keys only: what it lists is read from the table.
type Index struct {
	Name      string
	Partition Attribute
	Sort      Attribute
}

// Table is one table, billed per request.
type Table struct {
	// Name is the table's name among its siblings; a deployment puts its own before or instead of it.
	Name      string
	Partition Attribute
	// Sort is nil for a table whose partition key alone names an item.
	Sort    *Attribute
	Indexes []Index
	// TTL is the attribute with the second in which DynamoDB may begin to delete the item; empty: none is ever deleted.
	TTL string
	// Recovery asks for point-in-time recovery: the data cannot be had again from anywhere.
	Recovery bool
}

// TTL is the attribute of expiry in every table that has one. DynamoDB deletes late, so readers judge by
// themselves and never rely on it.
const TTL = "t"

// Config holds what administrators decided: settings, webhooks with sealed secrets, projects, clients, key pairs.
// The partition says what an item is, the sort key which one.
var Config = Table{
	Name:      "config",
	Partition: Attribute{"p", String},
	Sort:      &Attribute{"s", String},
	Recovery:  true,
}

// Events holds each event with its plan under the event's key (events.Key), and the parts of long plans under
// longer keys.
var Events = Table{
	Name:      "events",
	Partition: Attribute{"k", Binary},
	TTL:       TTL,
}

// Deliveries holds the rows of deliveries by webhook and, newest last, by when the event was received; attempts
// that found no room in the row stand in partitions of their own, so that a list of rows reads rows only.
var Deliveries = Table{
	Name:      "deliveries",
	Partition: Attribute{"p", Binary},
	Sort:      &Attribute{"s", Binary},
	Indexes:   []Index{Due, Dead},
	TTL:       TTL,
}

// State holds what may be lost: sessions, revocations, counters, health, replay jobs, the catalogue's change log.
var State = Table{
	Name:      "state",
	Partition: Attribute{"k", String},
	TTL:       TTL,
}

// Due lists the deliveries that wait for the clock, by when the sweeper shall look at them.
var Due = Index{
	Name:      "due",
	Partition: Attribute{"dp", Number},
	Sort:      Attribute{"ds", Number},
}

// Dead lists the deliveries that need a person, by when their event was received.
var Dead = Index{
	Name:      "dead",
	Partition: Attribute{"xp", Number},
	Sort:      Attribute{"xs", Binary},
}

// IndexShards is over how many partitions each index is spread. A partition takes 1,000 writes a second, and a
// delivery that fails costs its index three (it enters, moves and leaves), so 16 shards bear about 5,000 failing
// deliveries a second. Each costs the sweeper one query a minute, all together a few cents a month.
const IndexShards = 16

// All lists the tables.
func All() []Table { return []Table{Config, Events, Deliveries, State} }

// Names says what the tables of one deployment are called.
type Names struct {
	Config, Events, Deliveries, State string
}

// Prefixed names the tables of a deployment that chooses its names itself: prefix before each.
func Prefixed(prefix string) Names {
	return Names{
		Config:     prefix + Config.Name,
		Events:     prefix + Events.Name,
		Deliveries: prefix + Deliveries.Name,
		State:      prefix + State.Name,
	}
}

// Of is the deployed name of a table.
func (n Names) Of(t Table) string {
	return map[string]string{
		Config.Name: n.Config, Events.Name: n.Events, Deliveries.Name: n.Deliveries, State.Name: n.State,
	}[t.Name]
}
