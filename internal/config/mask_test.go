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
		"redis://h password=s3cr3t":                           "redis://h password=…",
		"redis://h:1 user=u Passwd=s3cr3t":                    "redis://h:1 user=u Passwd=…",
		"redis://h:1/0?prefix=a#s3cr3t more":                  "redis://h:1/0?prefix=a#…",
		"redis://h:1?password-file=s3cr3t&prefix=a":           "redis://h:1?password-file=…&prefix=a",
		"redis://h:1?sentinel-password-file=s3cr3t":           "redis://h:1?sentinel-password-file=…",
		"redis://h:1?password-file=./file":                    "redis://h:1?password-file=./file",
		"s3cr3t.zen.dq.spamhaus.net=127.0.0.2*3":              "KEY.zen.dq.spamhaus.net=127.0.0.2*3",
		"no list S3cr3t!.a.ZEN.dq.spamhaus.net. is":           "no list KEY.ZEN.dq.spamhaus.net. is",
		"abcdefghijklmnopqrstuvwxyz.dq.spamhaus.org":          "KEY.dq.spamhaus.org",
		"s3cr3t.combined.mail.abusix.zone":                    "KEY.combined.mail.abusix.zone",
		"{DQS}.zen.dq.spamhaus.net, sbl-xbl.dq.spamhaus.net":  "{DQS}.zen.dq.spamhaus.net, sbl-xbl.dq.spamhaus.net",
		"zen.spamhaus.org":                                    "zen.spamhaus.org",
		"inline:{boss@ours.example=OK, password=x}":           "inline:{boss@ours.example=OK, password=x}",
		"no flag --foo":                                       "no flag --foo",
		"":                                                    "",
	} {
		if got := Masked(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestMaskedKey(t *testing.T) {
	for spec, want := range map[string]string{
		"DQS=/etc/mailweir/key": "DQS=/etc/mailweir/key", "DQS=./key": "DQS=./key", "DQS=s3cr3t": "DQS=…", "DQS=s3/cr3t": "DQS=…",
		"s3cr3t": "…", "DQS=": "DQS=…", "": "",
	} {
		if got := MaskedKey(spec); got != want {
			t.Errorf("%q: %q, want %q", spec, got, want)
		}
	}
}
