package address

// Refusal is the error of every check here: why a URL is not acceptable and what to do about it, in sentences
// that a client may read. They never repeat the URL, whose path or query may be a secret.
type Refusal struct {
	// Message says what is wrong.
	Message string
	// Hint says what to do next.
	Hint string
}

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

// The refusals, in the order in which CheckURL looks for them.
var (
	tooLong = &Refusal{
		"The URL is longer than 2048 characters.",
		"Shorten it; characters outside of ASCII count as they are sent, percent-encoded.",
	}
	malformedURL = &Refusal{
		"This is not an absolute URL.",
		"Write it like https://example.com/hooks, without spaces, and percent-encode nothing in the host.",
	}
	wrongScheme = &Refusal{
		"The URL does not begin with https://.",
		"Give the receiver a certificate and use its https URL.",
	}
	wrongWebScheme = &Refusal{
		"The URL begins with neither https:// nor http://.",
		"Webhooks are sent over HTTP: use an https URL.",
	}
	userInfo = &Refusal{
		"The URL contains user information.",
		"Leave out what stands before the @ and give credentials as a header of the webhook.",
	}
	fragment = &Refusal{
		"The URL contains a fragment.",
		"Leave out the # and what follows it: it would never reach the receiver.",
	}
	malformedHost = &Refusal{
		"The host of the URL is not a host name or an address.",
		"Use a name such as example.com.",
	}
	unusualSpelling = &Refusal{
		"The host of the URL is an address in an unusual spelling.",
		"Use the receiver's name, or its address in the usual form: four decimal numbers, or IPv6 in brackets.",
	}
	wrongPort = &Refusal{
		"The port of the URL is not a number from 1 to 65535.",
		"Correct the port or leave it out.",
	}
	specialAddress = &Refusal{
		"The URL points at a special-purpose address.",
		"Use an address that is reachable from the public internet.",
	}
	localName = &Refusal{
		"The URL points at a name that is only known inside of a machine or network.",
		"Use a name that is known on the public internet.",
	}
	ownAddress = &Refusal{
		"The URL points at this service itself.",
		"Use the URL of the receiver.",
	}
	specialAnswer = &Refusal{
		"The host of the URL leads to a special-purpose address.",
		"Use a name whose addresses are all reachable from the public internet.",
	}
)
