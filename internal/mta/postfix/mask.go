package postfix

import "regexp"

// withParameters begins a table whose parameters stand in braces: mysql:{ { password = … } … }.
var withParameters = regexp.MustCompile(`\b(?:ldap|mysql|pgsql|sqlite|mongodb|memcache):\{`)

// Masked is a text as it may be shown: with … in place of the parameters of a table in braces,
// which may have a password. Without the closing brace, as in a text that was cut off, that is all
// of the rest.
func Masked(text string) string {
	shown := ""
	for {
		at := withParameters.FindStringIndex(text)
		if at == nil {
			return shown + text
		}
		brace := at[1] - 1
		shown += text[:brace] + "{…}"
		end := closing(text[brace:])
		if end < 0 {
			return shown
		}
		text = text[brace+end+1:]
	}
}
