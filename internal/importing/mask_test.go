package importing

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Neither a password in the parameters of a table nor a customer's key is shown or kept, whoever
// tells of it, and not what an earlier run kept, either.
func TestSecretsAreHidden(t *testing.T) {
	const table = "check_client_access mysql:{ { password = Sekr3tPW } { hosts = h } }"
	h := newHost(t)
	first := source("a", "left "+table, "carried x", "flag list=X", "note of "+table+" and AKEY0123", "off list=Y")
	first.Result.Items[0].Reason = "behind " + table
	first.Result.Flags[1].Off = table
	first.Result.Doubles = []Double{{Parameter: "smtpd_client_restrictions", Words: []string{"check_client_access", "hash:/old/clients"}}}
	other := source("b", "changed reject_rbl_client akey0123.a.example")
	other.Result.Secrets = []string{"akey0123", "x"}
	from := oldPostfix()
	from.Set["smtpd_client_restrictions"] += ", " + table
	for _, run := range []string{"first", "second"} {
		p := h.plan(first, other)
		r := p.Report(from)
		var out bytes.Buffer
		if err := r.Write(&out, true); err != nil {
			t.Fatal(err)
		}
		if err := r.JSON(&out); err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(p.before.At); err != nil {
			t.Fatal(err)
		}
		if err := r.WriteDone(&out); err != nil {
			t.Fatal(err)
		}
		ledger, err := os.ReadFile(filepath.Join(h.Dir, ledgerFile))
		if err != nil {
			t.Fatal(err)
		}
		text := out.String() + string(ledger) + h.text(h.Fragment)
		for _, secret := range []string{"Sekr3tPW", "akey0123", "AKEY0123"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s run: %s is shown:\n%s", run, secret, text)
			}
		}
		for _, want := range []string{
			"check_client_access mysql:{…}", "reject_rbl_client ….a.example",
			"  # in main.cf, take check_client_access hash:/old/clients out of smtpd_client_restrictions: what stays there has a password or key in it",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s run: no %q in\n%s", run, want, text)
			}
		}
	}
	// The ledger of a run that hid nothing.
	name := filepath.Join(h.Dir, ledgerFile)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var kept ledger
	if err := json.Unmarshal(data, &kept); err != nil {
		t.Fatal(err)
	}
	kept.Sources["a"].Items[0].Text = table
	if data, err = json.Marshal(kept); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := h.plan(source("a", "carried x")).Report(nil).Write(&out, true); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Contains(got, "Sekr3tPW") || !strings.Contains(got, "gone    /old/a check_client_access mysql:{…}") {
		t.Errorf("what is gone:\n%s", got)
	}
}
