package outbound

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"nepenthes/shared/delivery"
)

// judge gives the class of a complete answer: none for 2xx.
func judge(status int) (delivery.ErrorClass, string) {
	switch {
	case status >= 200 && status <= 299:
		return "", ""
	case status >= 300 && status <= 399:
		return delivery.ErrStatus, fmt.Sprintf("The receiver answered %d; redirects are not followed.", status)
	}
	return delivery.ErrStatus, strings.TrimSpace(fmt.Sprintf("The receiver answered %d %s", status, http.StatusText(status))) + "."
}

// waitedFor completes the sentence about an exchange whose time was over.
var waitedFor = map[phase]string{
	unsent: "for a connection", resolving: "for the look-up of the name", connecting: "for a connection",
	securing: "for the TLS handshake", waiting: "for an answer", reading: "for the end of the answer",
}

// outOfTime is the message for an exchange that was not over within its timeout.
func (p phase) outOfTime(timeout time.Duration) string {
	return fmt.Sprintf("The exchange did not end within %v: it still waited %s.", timeout, waitedFor[p])
}

// classify gives the class of an exchange that failed for another reason than its timeout, by the phase that it
// reached. The messages are our own sentences: the errors of package net name addresses of our network, and those
// of net/http repeat what the receiver sent.
func classify(err error, reached phase) (delivery.ErrorClass, string) {
	switch {
	case errors.Is(err, errBlocked):
		return delivery.ErrBlocked, "The host leads to a special-purpose address, which is never called."
	case reached == unsent:
		return delivery.ErrProtocol, "The request cannot be sent over HTTP: its URL or a header is malformed."
	case reached == resolving:
		return classifyLookup(err)
	case isTimeout(err):
		return delivery.ErrTimeout, fmt.Sprintf("The receiver fell silent: the exchange still waited %s.", waitedFor[reached])
	case reached == connecting:
		return delivery.ErrConnect, "No connection to the receiver could be made" + errnoText(err) + "."
	case reached == securing || isAlert(err):
		return delivery.ErrTLS, "No secure connection to the receiver could be made: " + insecure(err) + "."
	}
	return classifyAnswer(err, reached)
}

// classifyLookup tells a name that does not exist from one about which nobody answered.
func classifyLookup(err error) (delivery.ErrorClass, string) {
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return delivery.ErrDNS, "The host has no address: there is no such name."
	}
	return delivery.ErrDNS, "The host has no address: the look-up of its name failed."
}

// The messages about answers.
const (
	tooLarge      = "The headers of the answer, or its 1xx answers, exceed 64 KiB."
	tooLargeMaybe = "The headers of the answer exceed 64 KiB, or its HTTP/2 is malformed."
	brokenOff     = "The receiver closed the connection before the end of its answer."
	malformed     = "The answer is not well-formed HTTP."
	speaksTLS     = "The answer is not HTTP but TLS: the port wants a URL that begins with https."
)

// answerTexts recognises errors of net/http that have no type of their own; a test provokes each of them. The
// last but one is what headers far beyond the cap come to over HTTP/2, and some breaches of its rules as well.
var answerTexts = []struct {
	text    string
	class   delivery.ErrorClass
	message string
}{
	{"response headers exceeded", delivery.ErrResponseTooLarge, tooLarge},
	{"header list", delivery.ErrResponseTooLarge, tooLarge},
	{`malformed HTTP response "\x15\x03`, delivery.ErrProtocol, speaksTLS}, // the first bytes of every alert
	{"received from peer", delivery.ErrReset, brokenOff},                   // RST_STREAM
	{"GOAWAY", delivery.ErrReset, brokenOff},
	{"stream error", delivery.ErrProtocol, malformed},
	{"connection error: PROTOCOL_ERROR", delivery.ErrResponseTooLarge, tooLargeMaybe},
	{"connection error", delivery.ErrProtocol, malformed},
}

// classifyAnswer gives the class of an answer that did not come to its end.
func classifyAnswer(err error, reached phase) (delivery.ErrorClass, string) {
	for _, known := range answerTexts {
		if strings.Contains(err.Error(), known.text) {
			return known.class, known.message
		}
	}
	if reached == waiting || isEnd(err) {
		return delivery.ErrReset, brokenOff
	}
	return delivery.ErrProtocol, malformed
}

// isEnd reports whether the peer ended the connection.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// isTimeout reports whether one of the shorter limits was over: connecting, the handshake, a ping unanswered.
func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout() || strings.Contains(err.Error(), "http2: client connection lost")
}

// isAlert reports whether the peer refused the secure connection after the handshake: TLS 1.3 tells a client
// only then that its certificate is wanted.
func isAlert(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "remote error"
}

// isOurs reports whether our own process had no socket left to make a connection with. The text is asked for,
// since the resolver keeps no more of the error; before there is a connection no receiver can have put it there.
func isOurs(err error, reached phase) bool {
	return reached <= connecting && strings.Contains(err.Error(), syscall.EMFILE.Error())
}

// errnoText is the operating system's word for what went wrong, after a colon; it tells nothing about us.
func errnoText(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return ": " + errno.Error()
	}
	return ""
}
