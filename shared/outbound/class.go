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

// classifyStatus returns the class and the message of a complete answer. Both are empty for a 2xx.
func classifyStatus(status int) (delivery.ErrorClass, string) {
	switch {
	case status >= 200 && status <= 299:
		return "", ""
	case status >= 300 && status <= 399:
		return delivery.ErrStatus, fmt.Sprintf("The receiver answered %d; redirects are not followed.", status)
	}
	return delivery.ErrStatus, strings.TrimSpace(fmt.Sprintf("The receiver answered %d %s", status, http.StatusText(status))) + "."
}

// waitedFor completes the sentence about an exchange that timed out.
var waitedFor = map[phase]string{
	unsent: "for a connection", resolving: "for the lookup of the name", connecting: "for a connection",
	securing: "for the TLS handshake", waiting: "for an answer", reading: "for the end of the answer",
}

// outOfTime returns the message for an exchange that did not end within its timeout.
func (p phase) outOfTime(timeout time.Duration) string {
	return fmt.Sprintf("The exchange did not end within %v: it was still waiting %s.", timeout, waitedFor[p])
}

// classify returns the class and the message of an exchange that failed for another reason than its timeout, depending
// on the phase that it reached. The messages are our own sentences, because errors of package net contain addresses of
// our network, and errors of net/http repeat what the receiver sent.
func classify(err error, reached phase) (delivery.ErrorClass, string) {
	switch {
	case errors.Is(err, errBlocked):
		return delivery.ErrBlocked, "The host has a special-purpose address, which is never called."
	case reached == unsent:
		return delivery.ErrProtocol, "The request cannot be sent over HTTP: its URL or a header is malformed."
	case reached == resolving:
		return classifyLookup(err)
	case isTimeout(err):
		return delivery.ErrTimeout, fmt.Sprintf("The receiver stopped responding: the exchange was still waiting %s.", waitedFor[reached])
	case reached == connecting:
		return delivery.ErrConnect, "No connection to the receiver could be made" + errnoText(err) + "."
	case reached == securing || isAlert(err):
		return delivery.ErrTLS, "No secure connection to the receiver could be made: " + tlsFailure(err) + "."
	}
	return classifyAnswer(err, reached)
}

// classifyLookup tells apart a name that does not exist and a lookup that failed.
func classifyLookup(err error) (delivery.ErrorClass, string) {
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return delivery.ErrDNS, "The host has no address: its name does not exist."
	}
	return delivery.ErrDNS, "The address of the host is unknown: the lookup of its name failed."
}

// Messages about answers.
const (
	tooLarge      = "The headers of the answer, or its 1xx answers, exceed 64 KiB."
	tooLargeMaybe = "The headers of the answer exceed 64 KiB, or its HTTP/2 is malformed."
	brokenOff     = "The receiver closed the connection before the end of its answer."
	malformed     = "The answer is not well-formed HTTP."
	speaksTLS     = "The answer is not HTTP but TLS: the port expects a URL that begins with https."
)

// answerTexts recognises errors of net/http that have no type of their own; a test provokes each. The last but one is
// the error for headers far above the limit over HTTP/2. Some violations of HTTP/2 cause the same error.
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

// classifyAnswer returns the class and the message of an incomplete answer.
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

// isTimeout reports whether one of the shorter limits was exceeded: for connecting, for the handshake or for a ping.
func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout() || strings.Contains(err.Error(), "http2: client connection lost")
}

// isAlert reports whether the peer refused the secure connection after the handshake. In TLS 1.3 a client learns only
// then that it needs a certificate.
func isAlert(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "remote error"
}

// isOutOfSockets reports whether our own process had no socket left for a connection. It compares the text, because the
// resolver keeps only the text of the error. Before there is a connection, the text cannot come from a receiver.
func isOutOfSockets(err error, reached phase) bool {
	return reached <= connecting && strings.Contains(err.Error(), syscall.EMFILE.Error())
}

// errnoText returns the message of the operating system after a colon, or "". The message contains nothing about our
// network.
func errnoText(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return ": " + errno.Error()
	}
	return ""
}
