package callforward

import (
	"errors"
	"strings"
	"unicode/utf8"

	"mailweir/internal/address"
)

// maxPath is the longest path with its angle brackets (RFC 5321 section 4.5.3.1.3).
const maxPath = 256

var (
	errNoDomain = errors.New("an address without a domain cannot be asked about")
	errNoPath   = errors.New("the address cannot be written in SMTP")
	errTooLong  = errors.New("the address is longer than a path may be")
)

// forwardPath writes an address for RCPT (RFC 5321 section 4.1.2); the client has chosen it. utf8
// says that the server must know SMTPUTF8 (RFC 6531).
func forwardPath(to address.Address) (path string, needsUTF8 bool, err error) {
	local := written(to)
	if to.Domain == "" {
		return "", false, errNoDomain
	}
	if local == "" || !utf8.ValidString(local) || strings.ContainsFunc(local, control) || strings.ContainsFunc(to.Domain, notInDomain) {
		return "", false, errNoPath
	}
	if !isDotString(local) {
		local = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(local) + `"`
	}
	path = "<" + local + "@" + to.Domain + ">"
	if len(path) > maxPath {
		return "", false, errTooLong
	}
	return path, strings.ContainsFunc(path, func(c rune) bool { return c >= utf8.RuneSelf }), nil
}

// written is the local part in the letters that the client wrote, if they were of the plain kind:
// servers may tell Bob from bob (RFC 5321 section 2.4).
func written(to address.Address) string {
	local, _, ok := strings.Cut(to.Original, "@")
	if ok && isDotString(local) && address.Fold(local) == to.Local {
		return local
	}
	return to.Local
}

func control(c rune) bool { return c < ' ' || 0x7f <= c && c < 0xa0 }

// notInDomain says that a character could end the path, or the line.
func notInDomain(c rune) bool { return control(c) || strings.ContainsRune(" <>@\"\\(),;", c) }

// isDotString says that a local part needs no quotes (RFC 5321 section 4.1.2, RFC 6531).
func isDotString(local string) bool {
	if local == "" || local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return false
	}
	return !strings.ContainsFunc(local, func(c rune) bool {
		return c < utf8.RuneSelf && c != '.' && !isLetterDigit(byte(c)) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", c)
	})
}
