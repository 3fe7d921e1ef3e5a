package auth

import (
	"bytes"
	"encoding/base64"
	"strings"

	"mailweir/internal/passwords"
)

// glance is what the client's responses so far show.
type glance struct {
	mechanism string
	steps     int
	// authorize is whom the client wants to act for (PLAIN), login who it says it is.
	authorize, login string
	// password is set where the mechanism shows it, and wiped with the exchange.
	password []byte
	// done says that both are there, malformed that what was said is none of the mechanism.
	done, malformed bool
}

// worthWaiting reports whether the login is still to be shown, and the proof of the password not
// yet: the first response of SCRAM has none.
func (g *glance) worthWaiting() bool {
	switch {
	case g.login != "" || g.malformed:
		return false
	case strings.HasPrefix(g.mechanism, "SCRAM-"):
		return g.steps < 2
	case g.mechanism == "PLAIN" || g.mechanism == "LOGIN" || g.mechanism == "XOAUTH2" || g.mechanism == "OAUTHBEARER" || g.mechanism == "CRAM-MD5":
		return g.steps < 1
	}
	return false
}

// see takes a response as it came, in base64.
func (g *glance) see(response []byte) {
	decoded := make([]byte, base64.StdEncoding.DecodedLen(len(response)))
	n, err := base64.StdEncoding.Decode(decoded, response)
	text := decoded[:n]
	defer clear(decoded)
	g.steps++
	if err != nil {
		g.malformed = true
		return
	}
	switch {
	case g.mechanism == "PLAIN": // RFC 4616
		g.plain(text)
	case g.mechanism == "LOGIN":
		g.loginStep(text)
	case g.login != "":
	case g.mechanism == "XOAUTH2":
		user, found := strings.CutPrefix(before(text, "\x01"), "user=")
		if found && !bytes.Contains(text, []byte("\x01user=")) { // Dovecot takes the last one
			g.login = user
		}
	case g.mechanism == "CRAM-MD5": // RFC 2195: the digest stands behind the last blank
		if i := bytes.LastIndexByte(text, ' '); i > 0 {
			g.login = string(text[:i])
		}
	case g.mechanism == "OAUTHBEARER": // RFC 7628: n,a=USER,
		if fields := strings.Split(before(text, "\x01"), ","); len(fields) > 1 {
			g.login = saslName(fields[1], "a=")
		}
	case strings.HasPrefix(g.mechanism, "SCRAM-"): // RFC 5802: n,,n=USER,r=NONCE
		if fields := strings.SplitN(string(text), ",", 4); len(fields) == 4 {
			g.login = saslName(fields[2], "n=")
		}
	}
}

// before is the text up to a separator. What stands behind it may be a token.
func before(text []byte, separator string) string {
	head, _, _ := bytes.Cut(text, []byte(separator))
	return string(head)
}

func (g *glance) plain(text []byte) {
	parts := bytes.Split(text, []byte{0})
	if len(parts) != 3 || len(parts[1]) == 0 {
		g.malformed = true
		return
	}
	g.authorize, g.login, g.password, g.done = string(parts[0]), string(parts[1]), bytes.Clone(parts[2]), true
}

func (g *glance) loginStep(text []byte) {
	switch {
	case g.steps == 1:
		g.login = string(text)
		g.malformed = len(text) == 0
	case g.steps == 2:
		g.password, g.done = bytes.Clone(text), true
	default:
		g.malformed = true
	}
}

// saslName reads an attribute whose value is a saslname (RFC 5802 section 5.1).
func saslName(attribute, prefix string) string {
	name, found := strings.CutPrefix(attribute, prefix)
	if !found {
		return ""
	}
	return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(name)
}

// name is the login as it counts, "" as long as there is none.
func (g *glance) name() string {
	name, _ := passwords.Login(g.login)
	return name
}

// wipe overwrites the password.
func (g *glance) wipe() {
	clear(g.password)
	g.password = nil
}
