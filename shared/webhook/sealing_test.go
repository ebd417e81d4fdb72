package webhook_test

import (
	"bytes"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"nepenthes/shared/webhook"
)

// TestSealInfoBytes checks that the encoding does not change. Otherwise stored values could not be opened.
func TestSealInfoBytes(t *testing.T) {
	secret := webhook.SecretInfo("wh_1", "sec_A")
	header := webhook.HeaderInfo("wh_1", "https://receiver.example/hooks", "X-Team")
	for name, c := range map[string]struct {
		info    webhook.SealInfo
		version byte
		want    string
	}{
		"secret, version 1": {secret, 1, "\x0fwebhook-secrets\x04wh_1\x05sec_A"},
		"header, version 1": {header, 1, "\x0fwebhook-secrets\x04wh_1\x06x-team"},
		"secret, version 2": {secret, 2, "\x02\x0fwebhook-secrets\x06secret\x04wh_1\x05sec_A"},
		"header, version 2": {header, 2, "\x02\x0fwebhook-secrets\x06header\x04wh_1\x06x-team\x1chttps://receiver.example:443"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := c.info.Bytes(c.version); err != nil || string(got) != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestSealInfoBytesRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		info    webhook.SealInfo
		version byte
	}{
		"the zero SealInfo":   {webhook.SealInfo{}, 2},
		"no webhook":          {webhook.SecretInfo("", "sec_A"), 1},
		"no name":             {webhook.HeaderInfo("wh_1", "https://receiver.example", ""), 2},
		"no origin":           {webhook.HeaderInfo("wh_1", "receiver.example/private-path", "x"), 2},
		"version 0":           {webhook.SecretInfo("wh_1", "sec_A"), 0},
		"version 3":           {webhook.SecretInfo("wh_1", "sec_A"), 3},
		"a letter as version": {webhook.SecretInfo("wh_1", "sec_A"), 'w'},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.info.Bytes(c.version)
			if err == nil {
				t.Fatalf("got %q, want an error", got)
			}
			if strings.Contains(err.Error(), "private-path") {
				t.Errorf("got error %q, want one without the URL", err)
			}
		})
	}
}

// FuzzSealInfo looks for two different SealInfos with the same encoding.
func FuzzSealInfo(f *testing.F) {
	f.Add("wh_1", "sec_A", "https://receiver.example/", "wh_1", "sec_a", "https://receiver.example/x", true, false, byte(1), byte(2))
	f.Add("w", "h\x01x", "http://a", "w\x02h", "x", "http://a:80", true, true, byte(2), byte(2))
	f.Add("wh_1", "x", "https://a", "wh_1", "x", "https://a:444", true, true, byte(2), byte(2))
	f.Fuzz(func(t *testing.T, owner, name, address, owner2, name2, url2 string, header, header2 bool, version, version2 byte) {
		one, err := infoOf(owner, name, address, header).Bytes(version)
		if err != nil {
			return
		}
		two, err := infoOf(owner2, name2, url2, header2).Bytes(version2)
		if err != nil || !bytes.Equal(one, two) {
			return
		}
		if version != version2 || owner != owner2 || kept(name, header) != kept(name2, header2) || version == 2 && header != header2 {
			t.Errorf("got encoding %s for two different SealInfos, want two encodings", hex.EncodeToString(one))
		}
		if version == 2 && header && originOf(address) != originOf(url2) {
			t.Errorf("got encoding %s for the origins of %q and %q, want two encodings", hex.EncodeToString(one), address, url2)
		}
	})
}

// kept returns the name in the form in which it is compared.
func kept(name string, header bool) string {
	if header {
		return strings.ToLower(name)
	}
	return name
}

// infoOf returns the SealInfo of a header or a secret.
func infoOf(owner, name, payloadURL string, header bool) webhook.SealInfo {
	if header {
		return webhook.HeaderInfo(owner, payloadURL, name)
	}
	return webhook.SecretInfo(owner, name)
}

// originOf computes the origin of a URL in another way: the address that net/http would dial, and whether it uses TLS.
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if u.Port() != "" {
		port = u.Port()
	}
	return u.Scheme + " " + u.Hostname() + " " + port
}
