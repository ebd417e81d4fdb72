package signing_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"nepenthes/shared/fault"
	"nepenthes/shared/signing"
)

// parse parses a secret, and fails the test if it is refused.
func parse(t testing.TB, text string) signing.Secret {
	t.Helper()
	secret, err := signing.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return secret
}

// whsec returns a symmetric secret with a key of the given number of bytes.
func whsec(bytes int) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", bytes)))
}

// pair is a valid key pair.
const pair = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, text string
		kind       signing.Kind
		weak       bool
	}{
		{"the shortest symmetric key", whsec(24), signing.HMAC, false},
		{"the longest symmetric key", whsec(64), signing.HMAC, false},
		{"a key pair", pair, signing.Ed25519, false},
		{"the shortest text", "8 bytes!", signing.HMAC, true},
		{"the longest text", strings.Repeat("x", 128), signing.HMAC, false},
		{"the longest weak text", strings.Repeat("x", 23), signing.HMAC, true},
		{"the shortest text that is not weak", strings.Repeat("x", 24), signing.HMAC, false},
		{"bytes are counted, not characters", strings.Repeat("é", 12), signing.HMAC, false},
		{"white space and control characters are kept", "\x00\n tab\t end", signing.HMAC, true},
		{"an apostrophe at one end", "the boys'", signing.HMAC, true},
		{"quotation marks inside", `say "open" to me`, signing.HMAC, true},
		{"stars inside", "***secret***", signing.HMAC, true},
		{"an accent at the end", "resume\u0301", signing.HMAC, true},
		{"a flag at the end", "for 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", signing.HMAC, false},
		{"a short prefix inside a word", "9whsk_and-whpk-of-chance", signing.HMAC, false},
		{"the word secret", "whsecret of ours", signing.HMAC, true},
		{"an equals sign", "key=value of a kind", signing.HMAC, true},
		{"a sentence with generate", "generate joy", signing.HMAC, true},
		{"a beginning like that of a signature", "v1,short", signing.HMAC, true},
		{"hexadecimal", strings.Repeat("0f", 32), signing.HMAC, false},
		{"base64", strings.Repeat("Ab+/", 11), signing.HMAC, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			secret := parse(t, c.text)
			if got := secret.Kind(); got != c.kind {
				t.Errorf("got kind %q, want %q", got, c.kind)
			}
			if got := secret.Weak(); got != c.weak {
				t.Errorf("got weak %t, want %t", got, c.weak)
			}
			if got := secret.Text(); got != c.text {
				t.Errorf("got text %q, want %q", got, c.text)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(pair, "whsk_"))
	if err != nil {
		t.Fatal(err)
	}
	otherHalf := bytes.Clone(decoded)
	otherHalf[63] ^= 1
	encode := base64.StdEncoding.EncodeToString
	for name, text := range map[string]string{
		"nothing":                                "",
		"text of 7 bytes":                        "7 bytes",
		"text of 129 bytes":                      strings.Repeat("x", 129),
		"text that is not UTF-8":                 "12345678\xff",
		"a symmetric key of 23 bytes":            whsec(23),
		"a symmetric key of 65 bytes":            whsec(65),
		"a symmetric prefix only":                "whsec_",
		"a symmetric key not in base64":          "whsec_" + strings.Repeat("!", 40),
		"a symmetric key without padding":        strings.TrimRight(whsec(25), "="),
		"a symmetric key in another alphabet":    "whsec_" + strings.Repeat("-_", 20),
		"a symmetric key with a line break":      whsec(24) + "\n",
		"a symmetric key with a space":           whsec(24) + " ",
		"a symmetric key with stray bits":        "whsec_" + strings.Repeat("A", 42) + "B=",
		"a private prefix only":                  "whsk_",
		"a private key without public half":      "whsk_" + encode(decoded[:32]),
		"a private key with another public half": "whsk_" + encode(otherHalf),
		"a private key of 65 bytes":              "whsk_" + encode(append(bytes.Clone(decoded), 0)),
		"a private key not in base64":            "whsk_" + strings.Repeat("!", 88),
	} {
		t.Run(name, func(t *testing.T) {
			secret, err := signing.Parse(text)
			if err == nil {
				t.Fatalf("got %q of kind %s, want a refusal", secret.Text(), secret.Kind())
			}
			if secret != (signing.Secret{}) {
				t.Error("got a secret and a refusal, want the zero Secret")
			}
			checkRefusal(t, text, err)
		})
	}
}

func TestParseRefusesMistakes(t *testing.T) {
	key := whsec(32)
	for what, c := range map[string]struct {
		hint  string // a part of the hint
		texts []string
	}{
		"white space around it": {"before and after the secret", []string{
			" " + key, "\t" + key, "\n" + key, "\u00a0" + key, "\u200b" + key, "\ufeff" + key, "\u202a" + key, "\u2800" + key, "\u3164" + key,
			"a plain secret of thirty bytes\n", "a plain secret of thirty bytes\r\n", " plain text", "plain text ", "plain text\u00a0", "plain text\u200b",
			"plain text\u2028", "\u3000plain text", "plain text\v", "plain text\u00ad", "plain text\u2060", "          ", "\u200b\u200b\u200b\u200b",
			" generate", "generate\n",
		}},
		"white space after or in a key": {"Remove white space", []string{key + " ", key + "\n", key + "\r\n", key + "\u200b", key[:20] + "\n" + key[20:], pair + "\n", key + "\x00"}},
		"quotation marks": {"Remove the quotation marks", []string{
			`"` + key + `"`, "'" + key + "'", "`" + key + "`", "“" + key + "”", "„" + key + "“", "«" + key + "»", "‘" + key + "’", `\"` + key + `\"`,
			`"plain text"`, "'plain text'", "“plain text”",
		}},
		"a prefix in another spelling": {"in lower case and with nothing before it", []string{
			strings.ToUpper(key), "WHSEC_" + key[6:], "Whsec_" + key[6:], "wHSEC_short", "whsec-" + key[6:], "whsec–" + key[6:], "whsec%5F" + key[6:],
			"WHSK_" + pair[5:], "whsk-" + pair[5:], "wh\u200bsec_" + key[6:],
		}},
		"a prefix after other text": {"in lower case and with nothing before it", []string{
			"v1," + key, "v1a," + pair, "SECRET=" + key, "export WEBHOOK_SECRET=" + key, "secret: " + key, "Bearer " + key, `"` + key, "(" + key + ")",
			`{"secret":"` + key + `"}`, "$" + key, "<whsec_your key>", "x" + key, "key=" + pair, "whpk=whpk_AAAA",
		}},
		"a public key":                   {"private key", []string{parse(t, pair).PublicKey(), "whpk_short", "whpk_\u2060short"}},
		"a placeholder for a secret":     {"keep the current secret", []string{"***", "********", "••••••••••", "●●●●●●●●●●", "***···***"}},
		"the URL-safe alphabet":          {"+ and /", []string{"whsec_" + strings.Repeat("-_", 20), "whsk_" + strings.Repeat("-_", 44)}},
		"missing padding":                {"padding", []string{strings.TrimRight(whsec(25), "=")}},
		"a key in PEM":                   {"whsk_", []string{"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----"}},
		"a signature":                    {"the secret itself", []string{"v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkj2pj9o9NDN/H/pI4=", "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5B", "sha1=" + strings.Repeat("0f", 20), "sha256=" + strings.Repeat("0f", 32)}},
		"a value that was not filled in": {"the secret itself", []string{"${WEBHOOK_SECRET}", "{{ secret }}", "undefined", "[object Object]"}},
		"generate in another spelling":   {`"generate"`, []string{"Generate", "GENERATE", "generate_ed25519", "Generate-Ed25519", "generateEd25519", "generate ed25519"}},
	} {
		for _, text := range c.texts {
			t.Run(fmt.Sprintf("%s %+q", what, text), func(t *testing.T) {
				secret, err := signing.Parse(text)
				if err == nil {
					t.Fatalf("got a secret of kind %s, want a refusal", secret.Kind())
				}
				checkRefusal(t, text, err)
				if hint := fault.From(err).Hint; !strings.Contains(hint, c.hint) {
					t.Errorf("got hint %q, want %q", hint, c.hint)
				}
			})
		}
	}
}

// TestRestore checks that a secret that was stored before a rule existed can still be read.
func TestRestore(t *testing.T) {
	for _, text := range []string{" " + whsec(32), "v1," + whsec(32), `"` + whsec(32) + `"`, "a plain secret of thirty bytes\n", whsec(24), pair} {
		secret, err := signing.Restore(text)
		if err != nil || secret.Text() != text {
			t.Errorf("%q: got %q, %v, want the same text", text, secret.Text(), err)
		}
	}
	for _, text := range []string{"", "short", "whsec_short", "whsk_short"} {
		if _, err := signing.Restore(text); err == nil {
			t.Errorf("%q: got a secret, want a refusal", text)
		}
	}
}

// checkRefusal checks that err is a fault about the attribute "secret" with a message and a hint that do not contain
// the secret.
func checkRefusal(t *testing.T, text string, err error) {
	t.Helper()
	f := fault.From(err)
	if f.Kind != fault.PropertyConstraintViolation || len(f.Details) != 1 || f.Details[0].Attribute != "secret" {
		t.Errorf("got %v, want a constraint violation of secret", err)
	}
	shown := err.Error() + f.Message + f.Hint
	if f.Message == "" || f.Hint == "" {
		t.Errorf("got message %q, hint %q, want both", f.Message, f.Hint)
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(text, "whsec_"), "whsk_")
	if len(rest) > 6 && strings.Contains(shown, rest) {
		t.Errorf("got %q, which contains the secret", shown)
	}
}

func TestPublicKey(t *testing.T) {
	const want = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
	if got := parse(t, pair).PublicKey(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := parse(t, whsec(32)).PublicKey(); got != "" {
		t.Errorf("got %q for an HMAC secret, want none", got)
	}
}

func TestGenerate(t *testing.T) {
	for kind, generate := range map[signing.Kind]func() signing.Secret{
		signing.HMAC:    signing.Generate,
		signing.Ed25519: signing.GenerateEd25519,
	} {
		t.Run(string(kind), func(t *testing.T) {
			made := generate()
			again := parse(t, made.Text())
			if again.Kind() != kind || made.Kind() != kind || made.Weak() {
				t.Errorf("got kind %s, parsed again %s, weak %t, want %s and not weak", made.Kind(), again.Kind(), made.Weak(), kind)
			}
			if made.PublicKey() != again.PublicKey() {
				t.Errorf("got public key %q, parsed again %q, want the same", made.PublicKey(), again.PublicKey())
			}
			body := []byte("body")
			one, two := signing.Sign("id", 1, body, []signing.Secret{made}), signing.Sign("id", 1, body, []signing.Secret{again})
			if one != two || one == "" {
				t.Errorf("got signature %q, parsed again %q, want the same", one, two)
			}
			if other := generate(); other.Text() == made.Text() {
				t.Error("got the same secret twice")
			}
		})
	}
	if key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signing.Generate().Text(), "whsec_")); err != nil || len(key) != 32 {
		t.Errorf("got %d bytes, %v, want 32", len(key), err)
	}
}

func TestASecretIsNeverShown(t *testing.T) {
	for _, text := range []string{"hunter2 hunter2", whsec(32), pair} {
		secret := parse(t, text)
		var log bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&log, nil))
		logger.Info("m", "secret", secret, "list", []signing.Secret{secret}, "in", struct{ S signing.Secret }{secret})
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "secret", secret, "list", []signing.Secret{secret})
		encoded, err := json.Marshal(map[signing.Secret]any{secret: []any{secret, &secret}})
		if err != nil {
			t.Fatal(err)
		}
		shown := map[string]string{"logged": log.String(), "encoded": string(encoded), "string": secret.String(), "go": secret.GoString()}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%08b"} {
			shown[verb] = fmt.Sprintf(verb, secret)
			shown[verb+" of a pointer"] = fmt.Sprintf(verb, &secret)
			// For an unexported field, fmt cannot call the methods of the secret.
			shown[verb+" of a field"] = fmt.Sprintf(verb, struct{ hidden signing.Secret }{secret})
			shown[verb+" of a list"] = fmt.Sprintf(verb, struct{ hidden []signing.Secret }{[]signing.Secret{secret}})
		}
		for how, got := range shown {
			for _, leak := range []string{text, text[6:], fmt.Sprintf("%x", text[6:12]), fmt.Sprintf("%X", text[6:12]), fmt.Sprint([]byte(text[6:12]))[1:17]} {
				if strings.Contains(got, leak) {
					t.Errorf("%s: got %q, which shows %q", how, got, leak)
				}
			}
		}
		if got, want := string(encoded), `{"***":["***","***"]}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestZeroSecret(t *testing.T) {
	var zero signing.Secret
	if zero.Kind() != "" || zero.Text() != "" || zero.PublicKey() != "" || zero.Weak() {
		t.Errorf("got %q %q %q %t, want nothing", zero.Kind(), zero.Text(), zero.PublicKey(), zero.Weak())
	}
	if got := signing.Sign("id", 1, nil, []signing.Secret{zero}); got != "" {
		t.Errorf("got signature %q, want none", got)
	}
	if got := signing.Legacy(zero, nil); got != "" {
		t.Errorf("got legacy signature %q, want none", got)
	}
}

// FuzzParse looks for an accepted text with a wrong secret, and for a refusal that contains the text.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "text text", whsec(23), whsec(24), whsec(64), pair, "whsk_", "whsec_\n", "whpk_AAAA", "\xff12345678"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		secret, err := signing.Parse(text)
		if err != nil {
			checkRefusal(t, text, err)
			return
		}
		if secret.Text() != text {
			t.Errorf("got text %q, want %q", secret.Text(), text)
		}
		if strings.HasPrefix(text, "whsk_") != (secret.Kind() == signing.Ed25519) {
			t.Errorf("got kind %s for %q, want the kind of the prefix", secret.Kind(), text)
		}
		signature := signing.Sign("id", 1, []byte(text), []signing.Secret{secret})
		if !strings.HasPrefix(signature, "v1") {
			t.Errorf("got signature %q, want one that begins with v1", signature)
		}
	})
}
