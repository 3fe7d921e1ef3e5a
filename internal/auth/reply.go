package auth

import (
	"slices"
	"strings"

	"mailweir/internal/policy"
)

// errTemporary is what a Dovecot says that could not find out.
type errTemporary struct{ code string }

func (e errTemporary) Error() string { return "Dovecot could not find out (" + e.code + ")" }

// parameters are the fields of an answer of Dovecot: NAME or NAME=VALUE.
type parameters []string

// value returns what stands behind NAME=, and whether NAME is there, with or without a value.
func (p parameters) value(name string) (string, bool) {
	for _, field := range p {
		if field == name {
			return "", true
		}
		if value, found := strings.CutPrefix(field, name+"="); found {
			return unescape(value), true
		}
	}
	return "", false
}

// has reports whether one of these names is there.
func (p parameters) has(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, found := p.value(name)
		return found
	})
}

// unescape undoes Dovecot's escapes of tabs, line ends and NUL.
func unescape(s string) string {
	if !strings.Contains(s, "\x01") {
		return s
	}
	return strings.NewReplacer("\x010", "\x00", "\x011", "\x01", "\x01t", "\t", "\x01r", "\r", "\x01n", "\n").Replace(s)
}

// succeeded reads OK. A password that is right is no login where Dovecot wants the connection to go
// elsewhere or the user not to log in: Postfix would not notice.
func succeeded(p parameters) answer {
	user, _ := p.value("user")
	switch {
	case p.has("nologin"):
		return isWrong("the password is right, but the user may not log in (nologin)")
	case p.has("proxy", "proxy_maybe"):
		return isWrong("the password is right, but Dovecot would pass the user on to another host (proxy)")
	case user == "":
		return isWrong("Dovecot accepts the password and does not say whose it is")
	case !isUser(user):
		return isWrong("Dovecot accepts the password of a user whose name Postfix cannot take")
	}
	return answer{kind: right, user: user}
}

// isUser reports whether a name can stand in a line for Postfix.
func isUser(name string) bool {
	return len(name) <= 1024 && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// failed reads FAIL: Dovecot 2.3 has a name for each cause, 2.4 code=NAME.
func failed(p parameters) (answer, error) {
	code, _ := p.value("code")
	switch {
	case p.has("temp") || code == "temp_fail":
		return answer{}, errTemporary{"temp_fail"}
	case p.has("user_disabled") || code == "user_disabled":
		return isWrong("the user is disabled"), nil
	case p.has("pass_expired") || code == "pass_expired":
		return isWrong("the password has expired"), nil
	case p.has("authz") || code == "authz_fail":
		return isWrong("the user may not act for another login"), nil
	case code != "":
		return isWrong("Dovecot says " + policy.Clean(code)), nil
	}
	return isWrong("no such login, or wrong password"), nil
}
