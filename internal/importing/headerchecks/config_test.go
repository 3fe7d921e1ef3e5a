package headerchecks

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/importing"
)

// TestConfigurations reads one rule under different configurations of Postfix.
func TestConfigurations(t *testing.T) {
	dir := t.TempDir()
	checks, other := filepath.Join(dir, "checks"), filepath.Join(dir, "other")
	write(t, checks, "/^Subject:.*pills/ REJECT\n")
	write(t, other, "/^X-Other:/ IGNORE\n")
	use := func(parameters ...string) map[string]string {
		main := map[string]string{"cleanup_service_name": "cleanup"}
		for _, p := range parameters {
			main[p] = "pcre:" + checks
		}
		return main
	}
	header := use("header_checks", "mime_header_checks", "nested_header_checks")
	with := func(name, value string) map[string]string {
		main := map[string]string{name: value}
		for k, v := range header {
			if k != name {
				main[k] = v
			}
		}
		return main
	}
	const mx, submission = "smtp inet n - y - - smtpd", "submission inet n - y - - smtpd -o smtpd_sasl_auth_enable=yes"
	for _, c := range []struct {
		name     string
		main     map[string]string
		services []string
		reason   string // why it is left, "" for a rule that is written
		inbound  bool
	}{
		{"all mail", header, []string{mx, submission}, "", false},
		{"no services", header, nil, "", false},
		{"proxied", map[string]string{"header_checks": "proxy:pcre:" + checks, "nested_header_checks": "proxy:pcre:" + checks}, nil, "", false},
		{"not what users hand in", header, []string{mx, submission + " -o receive_override_options=no_header_body_checks"}, "", true},
		{"users through another cleanup", header, []string{mx, submission + " -o cleanup_service_name=sub", "cleanup unix n - y - 0 cleanup", "sub unix n - y - 0 cleanup -o header_checks=pcre:" + other}, "", true},
		{"users through another cleanup without change", header, []string{mx, submission + " -o cleanup_service_name=sub", "sub unix n - y - 0 cleanup"}, "", false},
		{"nobody", header, []string{mx + " -o receive_override_options=no_address_mappings,no_header_body_checks"}, "no service takes mail", false},
		{"handed back by a filter", header, []string{mx, "10025 inet n - y - - smtpd -o content_filter= -o receive_override_options=no_header_body_checks"}, "", false},
		{"not attached messages", with("nested_header_checks", ""), []string{mx}, "attached messages", false},
		{"body and header", use("header_checks", "body_checks"), nil, "make two of it", false},
		{"for one service", map[string]string{}, []string{"sub unix n - y - 0 cleanup -o header_checks=pcre:" + checks}, "through the service sub/unix alone", false},
		{"on its way out", use("smtp_header_checks"), nil, "on its way out", false},
		{"lmtp", use("lmtp_header_checks"), nil, "on its way out", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := inputOf(dir, c.main)
			in.Postfix.Services = services(t, strings.Join(c.services, "\n"))
			result, err := read(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			at := slices.IndexFunc(result.Items, func(i importing.Item) bool { return i.File == checks })
			if at < 0 {
				t.Fatalf("no item of %s in %+v", checks, result.Items)
			}
			i := result.Items[at]
			if c.reason == "" && i.Fate != importing.Carried || c.reason != "" && (i.Fate != importing.Left || !strings.Contains(i.Reason, c.reason)) {
				t.Errorf("%s: %s, want %q", i.Fate, i.Reason, c.reason)
			}
			inbound := slices.ContainsFunc(result.Files, func(f importing.File) bool { return strings.Contains(f.Text, "!direction inbound\n") })
			if inbound != c.inbound {
				t.Errorf("inbound alone: %v, want %v", inbound, c.inbound)
			}
			if (len(result.Flags) > 0) != (c.reason == "") {
				t.Errorf("flags %+v", result.Flags)
			}
		})
	}
}

// TestTables: what cannot be read is said where the parameter names it.
func TestTables(t *testing.T) {
	dir := t.TempDir()
	checks := filepath.Join(dir, "checks")
	for _, c := range []struct{ name, table, text, reason string }{
		{"another type", "ldap:/etc/postfix/x.cf", "", "of type ldap"},
		{"patterns in the parameter", "pcre:{{/x/ REJECT}}", "", "write them into a file"},
		{"no file", "pcre:" + filepath.Join(dir, "missing"), "", "cannot be read"},
		{"no rules", "pcre:" + checks, "# nothing\n", "no rule stands in it"},
		{"all", "pcre:" + checks, "/^X-A: b/ REJECT\n", "all of its rules"},
		{"some", "pcre:" + checks, "/^X-A: b/ REJECT\n/^X-A: c/ HOLD\n", "1 of its 2 rules"},
		{"none", "pcre:" + checks, "/^X-A: c/ HOLD\n", "none of its rules"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, checks, c.text)
			write(t, filepath.Join(dir, "main.cf"), "header_checks = "+c.table+"\n")
			result, err := read(t.Context(), inputOf(dir, map[string]string{"header_checks": c.table, "nested_header_checks": c.table, "mime_header_checks": c.table}))
			if err != nil {
				t.Fatal(err)
			}
			at := slices.IndexFunc(result.Items, func(i importing.Item) bool { return i.File == filepath.Join(dir, "main.cf") })
			if at < 0 {
				t.Fatalf("no item of main.cf in %+v", result.Items)
			}
			i := result.Items[at]
			if !strings.Contains(i.Reason, c.reason) || i.Line != 1 || i.Text != "header_checks = "+c.table {
				t.Errorf("%+v, want %q", i, c.reason)
			}
			if whole := len(result.Doubles) == 1 && result.Doubles[0].Parameter == "header_checks"; whole != (c.name == "all") {
				t.Errorf("doubles %+v", result.Doubles)
			}
		})
	}
}

// TestManyExceptions: ever more exceptions do not make ever more definitions.
func TestManyExceptions(t *testing.T) {
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "/^Subject:.*ticket%d/ DUNNO\n/^Subject:.*word%d/ REJECT\n", i, i)
	}
	result, _ := written(t, "header_checks", "pcre", b.String())
	if n := len(result.Files); n != mostDefinitions {
		t.Errorf("%d files, want %d", n, mostDefinitions)
	}
	fates := map[importing.Fate]int{}
	for _, i := range result.Items {
		if strings.Contains(i.Text, "REJECT") {
			fates[i.Fate]++
		}
	}
	// The last one has its exceptions as in Postfix, those before it in the same file more.
	if fates[importing.Carried] != mostDefinitions || fates[importing.Changed] != 40-mostDefinitions {
		t.Errorf("%v", fates)
	}
	fresh := open(t, result, t.TempDir())
	for line, want := range map[string]bool{
		"Subject: word0": true, "Subject: word39": true, "Subject: ticket0 word0": false, "Subject: ticket39 word39": false, "Subject: ticket1 word0": true,
		"Subject: ticket39 word38": false, // by an exception for another rule
	} {
		if got := fresh.answers(t, "-h", line); got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}
