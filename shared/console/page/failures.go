package page

import (
	"net/http"

	"nepenthes/shared/delivery"
)

// Explanation explains a failure and advises what to do about it.
type Explanation struct{ What, Do string }

// failures describes the classes of errors: with a name for lists, and with an explanation for the page of a delivery. It does
// not have delivery.ErrStatus, whose explanation depends on the status.
var failures = map[delivery.ErrorClass]struct {
	name string
	Explanation
}{
	delivery.ErrDNS: {"name not found", Explanation{
		"The host name in the payload URL could not be looked up.",
		"Check the spelling of the payload URL. If it is right, ask the owner of the domain whether the name exists.",
	}},
	delivery.ErrBlocked: {"address blocked", Explanation{
		"The host name leads to an address in a private network. Such addresses are never called.",
		"Use a payload URL that is reachable from the public internet.",
	}},
	delivery.ErrConnect: {"no connection", Explanation{
		"No connection to the receiver could be made.",
		"Check that the receiver runs, that the port in the payload URL is right, and that its firewall lets us in.",
	}},
	delivery.ErrTLS: {"TLS failure", Explanation{
		"The certificate of the receiver was not accepted, or no secure connection could be agreed on.",
		"Check that the certificate is for this host name, has not expired and is sent with its chain, and that TLS 1.2 or later is on.",
	}},
	delivery.ErrTimeout: {"timeout", Explanation{
		"The receiver did not answer in time.",
		"Let the receiver answer at once and do its work afterwards, or give the webhook a longer timeout (30 seconds at most).",
	}},
	delivery.ErrReset: {"connection broken", Explanation{
		"The receiver closed the connection before its answer was complete.",
		"Check the logs of the receiver and of proxies before it. One of them closed the connection.",
	}},
	delivery.ErrProtocol: {"no HTTP answer", Explanation{
		"The answer is not HTTP.",
		"Check that the port in the payload URL belongs to a web server, and that http and https are not mixed up.",
	}},
	delivery.ErrResponseTooLarge: {"answer too large", Explanation{
		"The headers of the answer were larger than 64 KiB.",
		"Let the receiver answer with only a status.",
	}},
}

func className(class delivery.ErrorClass) string {
	if f, known := failures[class]; known {
		return f.name
	}
	return string(class)
}

// explain returns the explanation of a failed attempt, or nil if the class is unknown. status is 0 if there was no answer.
func explain(class delivery.ErrorClass, status int) *Explanation {
	if f, known := failures[class]; known {
		return &f.Explanation
	}
	if status == 0 {
		return nil
	}
	return &Explanation{What: "The receiver answered " + statusText(status) + ".", Do: adviceOn(status)}
}

// adviceOn returns advice about an answer with a status that is not 2xx.
func adviceOn(status int) string {
	switch {
	case status == http.StatusGone:
		return "The status means that the receiver wants no more requests, so the webhook was disabled. Check the payload URL, then enable the webhook."
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return "The receiver refuses our requests. Check the credentials that it expects, such as a custom header, and that it verifies the signature with the current secret."
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return "Nothing at this address accepts a POST request. Check the path of the payload URL."
	case status == http.StatusTooManyRequests:
		return "The receiver gets more requests than it accepts. Attempts wait as long as it asks for."
	case status/100 == 3:
		return "Redirects are never followed. Enter the target of the redirect as the payload URL."
	case status/100 == 5:
		return "The receiver failed. Its answer below and its log may say why."
	}
	return "The receiver does not accept the request. Its answer below may say why."
}
