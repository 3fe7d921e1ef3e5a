package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/trace"
)

// The command judges what is recorded by another file, and the flags on top of it.
func TestReplay(t *testing.T) {
	told := accepted("4AbC", 5)
	told.Message.Octets, told.Message.Fields = 500, 3
	told.Message.Queries = []trace.Query{{Question: "A 1.2.0.192.bl.example", Answer: "127.0.0.2"}}
	where := recorded(t, told)
	conf := filepath.Join(t.TempDir(), "new.conf")
	if err := os.WriteFile(conf, []byte("local-domains=inline:{example.org=x}\nrbl-zone=bl.example\nmanaged=off\ngreylist=off\naccount=off\nload=off\ntempblock=off\nconcurrency=off\nreputation=off\nlockout=off\ntruncated=off\nauto-allow=off\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want []string
		not  string
	}{
		"newly refused":       {[]string{"--with=" + conf}, 1, []string{"newly refused  192.0.2.1  <alice@example.net> → <bob@example.org>", "now:  refused by rbl: 550 5.7.1 bl.example", "1 decision about 1 message", "newly refused   1  rbl 1"}, ""},
		"a flag on top":       {[]string{"--with=" + conf, "--rbl=monitor"}, 0, []string{"unchanged       1"}, "refused by"},
		"not asked then":      {[]string{"--with=" + conf, "--rbl-zone=other.example"}, 2, []string{"rbl cannot tell: dns lists: list other.example: not asked then", "cannot tell     1"}, ""},
		"only what changes":   {[]string{"--with=" + conf, "--rbl-zone=other.example", "--changed"}, 2, []string{"cannot tell     1"}, "rbl cannot tell"},
		"JSON":                {[]string{"--with=" + conf, "--json"}, 1, []string{`"kind":"newly_refused"`, `"sums":{`}, ""},
		"nothing of then":     {[]string{"--with=" + conf, "--until=" + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)}, 2, []string{"there is no mail of that time in the record"}, ""},
		"no configuration":    {nil, exUsage, []string{"--with=FILE"}, ""},
		"a wrong one":         {[]string{"--with=" + conf, "--rbl-zone=not a zone"}, exConfig, nil, ""},
		"none such":           {[]string{"--with=/none/such"}, exConfig, []string{"/none/such"}, ""},
		"a time that is none": {[]string{"--with=" + conf, "--since=1d", "--until=2d"}, exUsage, []string{"is not before"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := give(t, "", append([]string{"replay", where}, c.args...)...)
			if code != c.code {
				t.Errorf("exit code %d, want %d: %s%s", code, c.code, stdout, stderr)
			}
			for _, want := range c.want {
				if !strings.Contains(stdout+stderr, want) {
					t.Errorf("no %q in:\n%s%s", want, stdout, stderr)
				}
			}
			if c.not != "" && strings.Contains(stdout, c.not) {
				t.Errorf("%q in:\n%s", c.not, stdout)
			}
		})
	}
}
