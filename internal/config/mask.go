package config

import "regexp"

// A password stands before the @ of an address, in whose place somebody may also have forgotten to
// escape a blank or a slash; or it is a parameter.
var passwords = []struct {
	in  *regexp.Regexp
	out string
}{
	{regexp.MustCompile(`(?i)"(rediss?:(?://)?)[^"\n]*@`), `"$1…@`},
	{regexp.MustCompile(`(?i)(rediss?:(?://)?)[^\s"]*@`), "$1…@"},
	{regexp.MustCompile(`(?i)\b([a-z][a-z0-9+._-]*://)[^\s/"]*@`), "$1…@"},
	{regexp.MustCompile(`(?i)([?&](?:[a-z]+-)?(?:pass|passwd|password|passphrase|pw|pwd|secret|token)=)[^\s&"]+`), "$1…"},
}

// Masked is a text, such as a value or an error that quotes one, without what may be a password in
// it.
func Masked(text string) string {
	for _, p := range passwords {
		text = p.in.ReplaceAllString(text, p.out)
	}
	return text
}
