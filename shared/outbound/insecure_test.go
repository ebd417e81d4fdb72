package outbound_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/outbound"
)

// authority is a certificate authority.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	made := certify(t, authority{}, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		c.Subject.CommonName = "The authority"
	})
	return authority{made.Leaf, made.PrivateKey.(*ecdsa.PrivateKey)}
}

// certify returns a certificate for receiver.test. The zero authority signs it with its own key.
func certify(t *testing.T, by authority, change func(c *x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	asked := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "receiver.test"},
		DNSNames:  []string{"receiver.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	change(asked)
	if by.cert == nil {
		by = authority{asked, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, asked, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// presenting starts a receiver with a certificate. It returns the URL of the receiver and a client that trusts the
// authority.
func presenting(t *testing.T, trusted authority, certificate tls.Certificate, change func(s *httptest.Server)) (string, *outbound.Client) {
	s, _ := secure(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }, func(s *httptest.Server) {
		s.TLS.Certificates = []tls.Certificate{certificate}
		change(s)
	})
	roots := x509.NewCertPool()
	roots.AddCert(trusted.cert)
	c := client(t, outbound.Options{Loopback: true, RootCAs: roots, Resolver: names(func(string) []string { return []string{"127.0.0.1"} })})
	return strings.Replace(s.URL, "127.0.0.1", "receiver.test", 1), c
}

// forbidden matches words that only forbidden use, and texts that a receiver wrote into a certificate.
var forbidden = regexp.MustCompile(`x509|tls:|SAN|0x|EOF|injected|[^\x20-\x7e]`)

// checkMessage checks that a message is a sentence for the owner of a receiver, and that it contains some texts.
func checkMessage(t *testing.T, message string, says ...string) {
	t.Helper()
	for _, text := range says {
		if !strings.Contains(message, text) {
			t.Errorf("message %q does not contain %q", message, text)
		}
	}
	if found := forbidden.FindString(message); found != "" || len(message) > 400 || !strings.HasSuffix(message, ".") {
		t.Errorf("message %q of %d bytes is not a sentence for people; it contains %q", message, len(message), found)
	}
}

// TestPostSaysWhyACertificateIsRefused checks the messages about certificates that are not accepted.
func TestPostSaysWhyACertificateIsRefused(t *testing.T) {
	trusted, other := newAuthority(t), newAuthority(t)
	long := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		name, says string
		by         authority
		change     func(c *x509.Certificate)
	}{
		{"expired", "expired at 2020-01-02T03:04:05Z", trusted, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = long.Add(-time.Hour), long }},
		{"not yet valid", "not valid before 2120-", trusted, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = long.AddDate(100, 0, 0), long.AddDate(101, 0, 0)
		}},
		{"another name", "not for receiver.test but for other.test.", trusted, func(c *x509.Certificate) { c.DNSNames = []string{"other.test"} }},
		{"no name", "not for receiver.test and names no other host", trusted, func(c *x509.Certificate) { c.DNSNames = nil }},
		{"a thousand names", "but for a0.test, a1.test, a2.test and 997 more", trusted, func(c *x509.Certificate) {
			c.DNSNames = nil
			for i := range 1000 {
				c.DNSNames = append(c.DNSNames, fmt.Sprintf("a%d.test", i))
			}
		}},
		{"names that are not host names", "but for other.test.", trusted, func(c *x509.Certificate) {
			c.DNSNames = []string{"injected. \x1b[2J", "other.test", "injected<script>", "injected\n"}
		}},
		{"self-signed", "is self-signed", authority{}, func(*x509.Certificate) {}},
		{"unknown authority", "unknown authority", other, func(c *x509.Certificate) { c.Issuer.CommonName = "injected" }},
		{"for clients", "not meant for servers", trusted, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			url, c := presenting(t, trusted, certify(t, test.by, test.change), as1)
			got := post(t, c, url)
			checkClass(t, got, delivery.ErrTLS)
			checkMessage(t, got.Message, test.says)
		})
	}
	t.Run("an address", func(t *testing.T) {
		url, c := presenting(t, trusted, certify(t, trusted, func(*x509.Certificate) {}), as1)
		got := post(t, c, strings.Replace(url, "receiver.test", "127.0.0.1", 1))
		checkClass(t, got, delivery.ErrTLS)
		checkMessage(t, got.Message, "not for the address in the URL but for receiver.test.")
	})
}

// TestPostNamesAlerts checks that the message has the name of the alert with which a receiver refuses the connection.
func TestPostNamesAlerts(t *testing.T) {
	trusted := newAuthority(t)
	certificate := certify(t, trusted, func(*x509.Certificate) {})
	tests := []struct {
		name, says string
		change     func(s *httptest.Server)
	}{
		{"TLS 1.1", "protocol version not supported", func(s *httptest.Server) { s.TLS.MinVersion, s.TLS.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }},
		{"asks for a certificate", "certificate required", func(s *httptest.Server) { s.TLS.ClientAuth = tls.RequireAnyClientCert }},
		{"asks for a certificate by TLS 1.2", "handshake failure", func(s *httptest.Server) {
			s.TLS.ClientAuth, s.TLS.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12
		}},
		{"does not know the name", "internal error", func(s *httptest.Server) {
			s.TLS.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, net.ErrClosed }
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			url, c := presenting(t, trusted, certificate, test.change)
			got := post(t, c, url)
			checkClass(t, got, delivery.ErrTLS)
			checkMessage(t, got.Message, "refused it with the alert", test.says)
		})
	}
}

// TestPostRecognisesAnotherProtocol checks the messages about a port that speaks another protocol than the URL says.
func TestPostRecognisesAnotherProtocol(t *testing.T) {
	tests := []struct{ name, says, message string }{
		{"plain HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "first bytes were not TLS but plain HTTP"},
		{"garbage", "garbage\r\n", "first bytes were not TLS"},
		{"garbage that speaks of us", "injected: unsupported protocol version", "first bytes were not TLS"},
		{"hangs up", "", "closed the connection during the TLS handshake"},
		{"half a record", "\x16\x03\x03\x00\x20ab", "closed the connection during the TLS handshake"},
		{"a malformed handshake", "\x16\x03\x03\x00\x04\x63\x00\x00\x00", "malformed"},
		{"TLS 1.1 chosen", "\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02" + strings.Repeat("r", 32) + "\x00\xc0\x13\x00", "does not offer TLS 1.2 or later"},
		{"an alert", "\x15\x03\x01\x00\x02\x02\x28", "the alert \"handshake failure\""},
	}
	for _, test := range tests {
		t.Run("https to "+test.name, func(t *testing.T) {
			r := receive(t, func(c *conn) {
				c.in.Peek(1)
				c.say(test.says)
				c.end()
			})
			got := post(t, open(t), strings.Replace(r.URL, "http", "https", 1))
			checkClass(t, got, delivery.ErrTLS)
			checkMessage(t, got.Message, test.message)
		})
	}
	t.Run("https to a reset", func(t *testing.T) {
		r := receive(t, func(c *conn) { c.in.Peek(1); c.SetLinger(0) })
		got := post(t, open(t), strings.Replace(r.URL, "http", "https", 1))
		checkClass(t, got, delivery.ErrTLS)
		checkMessage(t, got.Message, "closed the connection during the TLS handshake")
	})
	t.Run("http to an alert", func(t *testing.T) {
		got := post(t, open(t), answering(t, "\x15\x03\x01\x00\x02\x02\x46").URL)
		checkClass(t, got, delivery.ErrProtocol)
		checkMessage(t, got.Message, "not HTTP but TLS", "https")
	})
	t.Run("http to a server with TLS that answers", func(t *testing.T) {
		s, c := secure(t, fine, as1)
		got := post(t, c, strings.Replace(s.URL, "https", "http", 1))
		checkClass(t, got, delivery.ErrStatus)
		checkMessage(t, got.Message, "400")
	})
}
