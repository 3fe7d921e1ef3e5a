package config

import (
	"os"
	"regexp"
	"strings"
)

// A password stands before the @ of an address, in whose place somebody may also have forgotten to
// escape a blank or a slash; or behind a #; or it is a parameter, or what should be the name of its
// file, which begins with a slash or a dot. The key of a paid DNS list stands in front of its zone.
var passwords = []struct {
	in  *regexp.Regexp
	out string
}{
	{regexp.MustCompile(`(?i)"(rediss?:(?://)?)[^"\n]*@`), `"$1…@`},
	{regexp.MustCompile(`(?i)(rediss?:(?://)?)[^\s"]*@`), "$1…@"},
	{regexp.MustCompile(`(?i)\b([a-z][a-z0-9+._-]*://)[^\s/"]*@`), "$1…@"},
	{regexp.MustCompile(`(?i)(^|["=])([a-z0-9_.-]+:)[^\s@"{/]+@([^\s@"{}/,=]+)($|")`), "$1$2…@$3$4"},
	{regexp.MustCompile(`(//)[^\s"/@]*:[^\s"]*@`), "$1…@"},
	{regexp.MustCompile(`(?i)\b((?:smtp|lmtp|tcp|inet|inet6|dovecot|clamd|rspamd|spamd|ldaps?|mysql|pgsql|sqlite|memcache|mongodb):)[^\s"/][^\s"]*@`), "$1…@"},
	{regexp.MustCompile(`(?i)\b(bind_?pw\s*=\s*|(?:ldap|mysql|pgsql):\{[^\n"]*?\bpass(?:word|wd)?\s*=\s*)[^\s,}&"…][^\s,}&"]*`), "$1…"},
	{regexp.MustCompile(`(?i)([?&](?:[a-z]+-)?(?:pass|passwd|password|passphrase|pw|pwd|secret|token)=)[^\s&"]+`), "$1…"},
	{regexp.MustCompile(`(?i)(\brediss?:[^\n"]*\s(?:[a-z]+-)?pass(?:wd|word)?=)[^\s&"]+`), "$1…"},
	{regexp.MustCompile(`(?i)(\brediss?:[^\s"#]*#)[^"\n]+`), "$1…"},
	{regexp.MustCompile(`(?i)(password-file=)[^/.\s&"…][^\s&"]*`), "$1…"},
	{regexp.MustCompile(`(?i)[^\s"'={},]+(\.[a-z0-9_-]+\.(?:dq\.spamhaus|mail\.abusix)\.)`), "KEY$1"},
	{regexp.MustCompile(`(?i)[a-z0-9_-]{24,}(\.(?:dq\.spamhaus|mail\.abusix)\.)`), "KEY$1"},
}

// Masked is a text, such as a value or an error that quotes one, without what may be a password in
// it.
func Masked(text string) string {
	for _, p := range passwords {
		text = p.in.ReplaceAllString(text, p.out)
	}
	return text
}

// MaskedKey is a NAME=FILE without what stands in the place of the file and is most likely the key
// itself.
func MaskedKey(spec string) string {
	name, file, ok := strings.Cut(spec, "=")
	switch {
	case spec == "":
		return ""
	case !ok:
		return "…"
	case strings.HasPrefix(file, "/") || strings.HasPrefix(file, "."):
		return spec
	}
	if _, err := os.Stat(file); err != nil {
		return name + "=…"
	}
	return spec
}
