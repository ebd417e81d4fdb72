package resttest

import "slices"

// Emulator is a local AWS endpoint on which a target can run.
type Emulator string

// The emulators that the suite knows.
const (
	MiniStack  Emulator = "MiniStack"
	LocalStack Emulator = "LocalStack"
)

// Leniency is a difference between emulators and AWS, for which the suite skips a check.
type Leniency struct {
	// Sentence describes the difference. docs/deploying.md has the same sentence.
	Sentence string
	// Of lists the emulators with this difference.
	Of []Emulator
}

// The leniencies.
var (
	// ThisMachine lets webhooks lead to receivers on this machine, which other tests need.
	ThisMachine = Leniency{
		"The functions are built for this machine, so payload URLs may lead to it.",
		[]Emulator{MiniStack, LocalStack},
	}
	// DecodedQueries hides faults of a query from the service.
	DecodedQueries = Leniency{
		"The gateway decodes a query before the service gets it, and passes on a query that cannot be decoded.",
		[]Emulator{MiniStack, LocalStack},
	}
	// TypeOfNothing adds a header that the service did not send.
	TypeOfNothing = Leniency{
		"The gateway adds a Content-Type to answers without content.",
		[]Emulator{MiniStack, LocalStack},
	}
	// DefaultAccept hides from the service that a client accepts anything.
	DefaultAccept = Leniency{
		"The gateway adds Accept: application/json to a request without the header Accept.",
		[]Emulator{LocalStack},
	}
	// UnpackedRequests hides the encoding of a body from the service.
	UnpackedRequests = Leniency{
		"The gateway unpacks a request whose Content-Encoding is gzip, and answers 500 if the body is not gzip.",
		[]Emulator{LocalStack},
	}
	// NoTrace hides a method from the service.
	NoTrace = Leniency{
		"The gateway refuses the method TRACE.",
		[]Emulator{LocalStack},
	}
	// NoPermissions lets the functions do what the stack does not grant.
	NoPermissions = Leniency{
		"Permissions are not enforced.",
		[]Emulator{LocalStack},
	}
)

// Leniencies returns every leniency. In everything else an emulator must behave as AWS does.
func Leniencies() []Leniency {
	return []Leniency{ThisMachine, DecodedQueries, TypeOfNothing, DefaultAccept, UnpackedRequests, NoTrace, NoPermissions}
}

// Has reports whether the emulator has the leniency. The empty Emulator has none.
func (e Emulator) Has(l Leniency) bool { return slices.Contains(l.Of, e) }
