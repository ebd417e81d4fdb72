package outbound

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// tlsFailure says in our own words why there is no secure connection. The errors of crypto/tls are meant for
// programmers, and they repeat what a stranger wrote into a certificate.
func tlsFailure(err error) string {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return badCertificate(e)
	}
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		if string(e.RecordHeader[:]) == "HTTP/" {
			return "its first bytes were not TLS but plain HTTP, so the port expects a URL that begins with http, or it is the wrong port"
		}
		return "its first bytes were not TLS, so it is the wrong port"
	}
	if isAlert(err) {
		return fmt.Sprintf("the receiver refused it with the alert %q", alertText(err))
	}
	switch {
	case isEnd(err):
		return "the receiver closed the connection during the TLS handshake"
	case strings.Contains(err.Error(), "unsupported protocol version"):
		return "the receiver does not offer TLS 1.2 or later"
	}
	return "the receiver sent a malformed TLS handshake"
}

// alertText returns the name of a TLS alert, from a closed list of crypto/tls.
func alertText(err error) string {
	e, ok := errors.AsType[*net.OpError](err)
	if !ok {
		return ""
	}
	return strings.TrimPrefix(e.Err.Error(), "tls: ")
}

// badCertificate says why a certificate is not accepted.
func badCertificate(e *tls.CertificateVerificationError) string {
	if host, ok := errors.AsType[x509.HostnameError](e.Err); ok {
		return wrongHost(host)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](e.Err); ok {
		if leaf := e.UnverifiedCertificates[0]; bytes.Equal(leaf.RawIssuer, leaf.RawSubject) {
			return "its certificate is self-signed, so no known authority vouches for it"
		}
		return "its certificate was signed by an unknown authority, or the receiver does not send the intermediate certificates"
	}
	invalid, ok := errors.AsType[x509.CertificateInvalidError](e.Err)
	if ok && invalid.Reason == x509.Expired {
		return outOfDate(invalid.Cert, time.Now())
	}
	if ok && invalid.Reason == x509.IncompatibleUsage {
		return "its certificate is not meant for servers"
	}
	return "the chain of its certificate is not valid"
}

// outOfDate says whether a certificate is not yet valid or has expired. It may be a certificate above that of the
// receiver.
func outOfDate(cert *x509.Certificate, now time.Time) string {
	if now.Before(cert.NotBefore) {
		return "a certificate of its chain is not valid before " + cert.NotBefore.UTC().Format(time.RFC3339)
	}
	return "a certificate of its chain expired at " + cert.NotAfter.UTC().Format(time.RFC3339)
}

// maxNames is the largest number of names of a certificate in a message. A certificate may have a thousand.
const maxNames = 3

// wrongHost says for which hosts a certificate is.
func wrongHost(e x509.HostnameError) string {
	names := slices.DeleteFunc(slices.Clone(e.Certificate.DNSNames), func(name string) bool { return !isHostname(name) })
	text := "its certificate is not for " + e.Host
	if _, err := netip.ParseAddr(e.Host); err == nil {
		text = "its certificate is not for the address in the URL"
	}
	switch {
	case len(names) == 0:
		return text + " and names no other host"
	case len(names) > maxNames:
		return fmt.Sprintf("%s but for %s and %d more", text, strings.Join(names[:maxNames], ", "), len(names)-maxNames)
	}
	return text + " but for " + strings.Join(names, ", ")
}

// isHostname reports whether a name from a certificate looks like the name of a host and nothing else.
func isHostname(name string) bool {
	return name != "" && len(name) <= 253 && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789.-_*:") == ""
}
