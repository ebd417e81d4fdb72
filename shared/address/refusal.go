package address

// Refusal is the error of every check in this package. Its sentences are for the client. They never contain the URL,
// whose path or query may be a secret.
type Refusal struct {
	// Message says why the URL is not acceptable.
	Message string
	// Hint says what to do next.
	Hint string
}

// Error returns the message.
func (r *Refusal) Error() string { return r.Message }

// The refusals, in the order in which CheckURL looks for them.
var (
	tooLong = &Refusal{
		"The URL is longer than 2048 characters.",
		"Shorten it. Characters outside ASCII count as they are sent, which is percent-encoded.",
	}
	malformedURL = &Refusal{
		"This is not an absolute URL.",
		"Use a URL such as https://example.com/hooks, without spaces and without percent-encoding in the host.",
	}
	wrongScheme = &Refusal{
		"The URL does not begin with https://.",
		"Give the receiver a certificate and use its https URL.",
	}
	wrongWebScheme = &Refusal{
		"The URL begins with neither https:// nor http://.",
		"Webhooks are sent over HTTP. Use an https URL.",
	}
	userInfo = &Refusal{
		"The URL contains user information.",
		"Remove the text before the @. Send credentials in a header of the webhook instead.",
	}
	fragment = &Refusal{
		"The URL contains a fragment.",
		"Remove the # and the text after it, which HTTP does not send.",
	}
	malformedHost = &Refusal{
		"The host of the URL is not a host name or an address.",
		"Use a name such as example.com.",
	}
	unusualSpelling = &Refusal{
		"The host of the URL is an address in an unusual spelling.",
		"Use the host name, or the address in its usual form: four decimal numbers, or IPv6 in brackets.",
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
		"The URL points at a name that is only known inside a machine or a network.",
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
