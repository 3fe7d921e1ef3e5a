package postfix_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/mta/postfix"
)

const whereMain = `# smtpd_client_restrictions = reject_rbl_client a.example
smtpd_client_restrictions = permit_mynetworks
smtpd_client_restrictions = permit_mynetworks,
    reject_rhsbl_helo dbl.example,
# between
    reject_rhsbl_sender dbl.example
    { reject_rbl_client b.example=127.0.0.2 }
    check_client_access
      hash:/etc/postfix/clients

postscreen_dnsbl_sites = x.example*2, y.example
own = reject_rbl_client
  z.example
smtpd_data_restrictions = $own ${other}
`

const whereMaster = `smtp inet n - y - 1 postscreen
# a comment
smtpd pass - - y - - smtpd
  -o syslog_name=mx
  -o { smtpd_client_restrictions = permit_mynetworks,
    reject_rbl_client c.example }
10025 inet n - y - - smtpd -o smtpd_client_restrictions=reject_rbl_client,d.example
`

func TestWhere(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"main.cf": whereMain, "master.cf": whereMaster} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mx := &postfix.Service{Name: "smtpd", Type: "pass", Overrides: map[string]string{"smtpd_client_restrictions": "set"}}
	inner := &postfix.Service{Name: "10025", Type: "inet", Overrides: map[string]string{"smtpd_client_restrictions": "set"}}
	p := &postfix.Postfix{Config: dir, Set: map[string]string{"smtpd_data_restrictions": "$own ${other}"}}
	for _, c := range []struct {
		name    string
		service *postfix.Service
		words   string
		want    string
	}{
		{"the last definition", nil, "smtpd_client_restrictions", "main.cf:3"},
		{"a word", nil, "smtpd_client_restrictions permit_mynetworks", "main.cf:3"},
		{"the same list under one restriction", nil, "smtpd_client_restrictions reject_rhsbl_helo dbl.example", "main.cf:4"},
		{"and under another, behind a comment", nil, "smtpd_client_restrictions reject_rhsbl_sender dbl.example", "main.cf:6"},
		{"in braces", nil, "smtpd_client_restrictions reject_rbl_client b.example=127.0.0.2", "main.cf:7"},
		{"over two lines", nil, "smtpd_client_restrictions check_client_access hash:/etc/postfix/clients", "main.cf:8"},
		{"only a part of a word", nil, "smtpd_client_restrictions dbl", "main.cf:3"},
		{"after an empty line", nil, "postscreen_dnsbl_sites y.example", "main.cf:11"},
		{"by a $name", nil, "smtpd_data_restrictions reject_rbl_client z.example", "main.cf:12"},
		{"not set", nil, "smtpd_helo_restrictions reject", "main.cf:0"},
		{"a service", mx, "smtpd_client_restrictions reject_rbl_client c.example", "master.cf:6"},
		{"a service, the whole", mx, "smtpd_client_restrictions", "master.cf:5"},
		{"what a service does not override", mx, "postscreen_dnsbl_sites x.example*2", "main.cf:11"},
		{"commas in master.cf", inner, "smtpd_client_restrictions reject_rbl_client d.example", "master.cf:7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			words := strings.Fields(c.words)
			file, line := p.Where(c.service, words[0], words[1:]...)
			if got := fmt.Sprintf("%s:%d", filepath.Base(file), line); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestRestrictions(t *testing.T) {
	p := &postfix.Postfix{
		Parameters: map[string]string{
			"smtpd_restriction_classes":    "strict, loop, alone",
			"smtpd_client_restrictions":    "permit_mynetworks, hash:/etc/postfix/clients, warn_if_reject reject_rbl_client a.example reject_rbl_client b.example",
			"smtpd_helo_restrictions":      "",
			"smtpd_sender_restrictions":    "WARN_IF_REJECT strict, check_sender_access inline:{ a = OK, b = REJECT }",
			"smtpd_recipient_restrictions": "{ reject_rhsbl_helo c.example }, loop check_policy_service { inet:127.0.0.1:10023, timeout=10s } reject",
			"strict":                       "reject_unknown_client_hostname, reject_rbl_client d.example",
			"loop":                         "loop reject_rhsbl_sender e.example strict",
			"alone":                        "reject_rbl_client f.example",
		},
		Services: []*postfix.Service{
			{Name: "smtp", Type: "inet", Command: "smtpd"},
			{Name: "587", Type: "inet", Command: "smtpd", Overrides: map[string]string{"smtpd_client_restrictions": "permit_sasl_authenticated,pcre:/x,reject"}},
		},
	}
	var got []string
	for _, r := range p.Restrictions() {
		line := strings.TrimSuffix(strings.TrimPrefix(r.List, "smtpd_"), "_restrictions") + " " + r.Parameter + " " + r.Name + "(" + r.Argument + ")"
		if r.Service != nil {
			line = r.Service.Key() + " " + line
		}
		if r.Warn {
			line += " warn"
		}
		if len(r.Classes) > 0 {
			line += " in " + strings.Join(r.Classes, ",")
		}
		got = append(got, line)
	}
	want := []string{
		"client smtpd_client_restrictions permit_mynetworks()",
		"client smtpd_client_restrictions check_client_access(hash:/etc/postfix/clients)",
		"client smtpd_client_restrictions reject_rbl_client(a.example) warn",
		"client smtpd_client_restrictions reject_rbl_client(b.example)",
		"sender strict reject_unknown_client_hostname() warn in strict",
		"sender strict reject_rbl_client(d.example) warn in strict",
		"sender smtpd_sender_restrictions check_sender_access(inline:{ a = OK, b = REJECT })",
		"recipient smtpd_recipient_restrictions reject_rhsbl_helo(c.example)",
		"recipient loop reject_rhsbl_sender(e.example) in loop",
		"recipient strict reject_unknown_client_hostname() in loop,strict",
		"recipient strict reject_rbl_client(d.example) in loop,strict",
		"recipient smtpd_recipient_restrictions check_policy_service({ inet:127.0.0.1:10023, timeout=10s })",
		"recipient smtpd_recipient_restrictions reject()",
		"587/inet client smtpd_client_restrictions permit_sasl_authenticated()",
		"587/inet client smtpd_client_restrictions check_client_access(pcre:/x)",
		"587/inet client smtpd_client_restrictions reject()",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	class, found := p.Class(nil, "smtpd_recipient_restrictions", "alone")
	if !found || len(class) != 1 || class[0].Argument != "f.example" || class[0].Parameter != "alone" {
		t.Errorf("%v %+v", found, class)
	}
	if _, found := p.Class(nil, "smtpd_recipient_restrictions", "reject"); found {
		t.Error("a restriction was taken for a class")
	}
}
