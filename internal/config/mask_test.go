package config

import "testing"

func TestMasked(t *testing.T) {
	for text, want := range map[string]string{
		"redis://u:s3cr3t@h:6379/0":                           "redis://…@h:6379/0",
		"REDISS://:s3/cr@3t@h":                                "REDISS://…@h",
		"redis:u:s3cr3t@h":                                    "redis:…@h",
		`"redis://u:my s3cr3t@h" is not`:                      `"redis://…@h" is not`,
		"ldap://cn=x:s3cr3t@h/dc=x":                           "ldap://…@h/dc=x",
		"redis://h:6379?password=s3cr3t&user=a":               "redis://h:6379?password=…&user=a",
		"redis://h:6379?user=a&sentinel-password=s3cr3t":      "redis://h:6379?user=a&sentinel-password=…",
		"redis://h:6379?user=a&password-file=/etc/a@b":        "redis://…@b",
		"redis://h:6379/0?master=m&password-file=/etc/secret": "redis://h:6379/0?master=m&password-file=/etc/secret",
		"https://help.example/@mailweir?token":                "https://help.example/@mailweir?token",
		"inline:{boss@ours.example=OK, password=x}":           "inline:{boss@ours.example=OK, password=x}",
		"no flag --foo":                                       "no flag --foo",
		"":                                                    "",
	} {
		if got := Masked(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
