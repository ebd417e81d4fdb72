package resttest

import "slices"

// Emulator is a local AWS endpoint behind which a target can stand.
type Emulator string

// The emulators that the cases are tried with.
const (
	MiniStack  Emulator = "MiniStack"
	LocalStack Emulator = "LocalStack"
)

// Leniency is something in which emulators differ from AWS, so that a case asks less there.
type Leniency struct {
	// Sentence says what differs. docs/deploying.md has it too.
	Sentence string
	// Of are the emulators that differ so.
	Of []Emulator
}

// The leniencies; Leniencies lists them.
var (
	// ThisMachine is our own doing: a story's receivers are on this machine.
	ThisMachine = Leniency{
		"The functions are built for this machine, so payload URLs may lead to it.",
		[]Emulator{MiniStack, LocalStack},
	}
	// DecodedQueries hides from us what is wrong with a query.
	DecodedQueries = Leniency{
		"The gateway decodes a query before we see it, and passes on what cannot be decoded as if nothing were wrong.",
		[]Emulator{MiniStack, LocalStack},
	}
	// TypeOfNothing is a header that we did not send.
	TypeOfNothing = Leniency{
		"The gateway adds a Content-Type to answers without content.",
		[]Emulator{MiniStack, LocalStack},
	}
	// DefaultAccept hides from us that a client takes anything.
	DefaultAccept = Leniency{
		"The gateway asks us for application/json when a client says nothing of what it accepts.",
		[]Emulator{LocalStack},
	}
	// UnpackedRequests is the gateway's own reading of a body that is none of its business.
	UnpackedRequests = Leniency{
		"The gateway unpacks a request whose Content-Encoding is gzip, and answers 500 itself when it is not.",
		[]Emulator{LocalStack},
	}
	// NoTrace keeps a method from us.
	NoTrace = Leniency{
		"The gateway refuses the method TRACE itself.",
		[]Emulator{LocalStack},
	}
	// NoPermissions makes every grant of the stack superfluous.
	NoPermissions = Leniency{
		"Permissions are not enforced.",
		[]Emulator{LocalStack},
	}
)

// Leniencies lists every leniency: what is not in it is asked of emulators as of AWS.
func Leniencies() []Leniency {
	return []Leniency{ThisMachine, DecodedQueries, TypeOfNothing, DefaultAccept, UnpackedRequests, NoTrace, NoPermissions}
}

// Has reports whether the emulator differs so; none, which is AWS and local, never does.
func (e Emulator) Has(l Leniency) bool { return slices.Contains(l.Of, e) }
