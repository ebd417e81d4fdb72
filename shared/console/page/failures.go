package page

import (
	"net/http"

	"nepenthes/shared/delivery"
)

// Explanation says what a failure means and what to do about it.
type Explanation struct{ What, Do string }

// failures has the classes of errors in words: a name for lists, and the sentence and advice for the delivery's page.
var failures = map[delivery.ErrorClass]struct {
	name string
	Explanation
}{
	delivery.ErrDNS: {"name not found", Explanation{
		"The host name in the payload URL could not be looked up.",
		"Check the spelling of the payload URL, and with whoever runs the domain whether the name exists.",
	}},
	delivery.ErrBlocked: {"address blocked", Explanation{
		"The host name leads to an address inside a private network, which is never called.",
		"Use a payload URL that is reachable from the public internet.",
	}},
	delivery.ErrConnect: {"no connection", Explanation{
		"No connection to the receiver could be made.",
		"Check that it runs, that the port in the payload URL is right, and that its firewall lets us in.",
	}},
	delivery.ErrTLS: {"TLS failure", Explanation{
		"The receiver's certificate was not accepted, or no secure connection could be agreed on.",
		"Check that the certificate is valid, not expired, made for this host name and sent with its chain, and that TLS 1.2 or later is on.",
	}},
	delivery.ErrTimeout: {"timeout", Explanation{
		"The receiver did not answer in time.",
		"Let it answer at once and do its work afterwards; or give the webhook a longer timeout (30 seconds at most).",
	}},
	delivery.ErrReset: {"connection broken off", Explanation{
		"The receiver broke the connection off before its answer was complete.",
		"Look into its log, and into those of proxies before it: something there ended the exchange.",
	}},
	delivery.ErrProtocol: {"no HTTP answer", Explanation{
		"What came back is not an HTTP answer.",
		"Check that the port in the payload URL belongs to a web server, and that http and https are not mixed up.",
	}},
	delivery.ErrResponseTooLarge: {"answer too large", Explanation{
		"The headers of the answer were larger than 64 KiB.",
		"Let the receiver answer with a status alone; nobody reads more.",
	}},
}

func classWords(class delivery.ErrorClass) string {
	if f, known := failures[class]; known {
		return f.name
	}
	return string(class)
}

// explain says what a failed attempt means; nil when the class is unknown. status is 0 when no answer came.
func explain(class delivery.ErrorClass, status int) *Explanation {
	if f, known := failures[class]; known {
		return &f.Explanation
	}
	if status == 0 {
		return nil
	}
	return &Explanation{What: "The receiver answered " + statusText(status) + ".", Do: adviceOn(status)}
}

// adviceOn says what to do about an answer that is no success.
func adviceOn(status int) string {
	switch {
	case status == http.StatusGone:
		return "It means never again: the webhook was disabled. Check the payload URL, then enable the webhook."
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return "It refuses us. Check its credentials (a custom header?) and that it verifies the signature with the present secret."
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return "Nothing at this address takes a POST. Check the path of the payload URL."
	case status == http.StatusTooManyRequests:
		return "It gets more than it can take. Attempts wait as long as it asks for."
	case status/100 == 3:
		return "Redirects are never followed. Enter the address that it leads to as the payload URL."
	case status/100 == 5:
		return "The receiver has a fault of its own. Its answer below and its log tell more."
	}
	return "It does not take the request. Its answer below may say why."
}
