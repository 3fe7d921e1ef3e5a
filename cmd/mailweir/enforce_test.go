package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/would"
)

// Of each check it is shown what it would have done, and what is not proved wants --yes.
func TestEnforceShowsTheRecord(t *testing.T) {
	t.Setenv("MAILWEIR_DNS", "127.0.0.1:9")
	dir := t.TempDir()
	conf := filepath.Join(dir, "mailweir.conf")
	text := "default-mode = monitor\nstate = file:" + dir + "\nlocal-domains = inline:{example.org=x}\nclient-block-list = inline:{192.0.2.1=REJECT}\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	monitored := func(e *policy.Event) { e.Mode, e.Action = policy.Monitor, policy.ActionWould }
	var entries []record.Entry
	for i, reply := range []string{"client-block", "greylist", "greylist"} {
		entries = append(entries, decided(fmt.Sprintf("mw-aaaaaaa%d", i), reply, 60+i, monitored))
	}
	kept := recorded(t, entries...)
	for _, tt := range []struct {
		check string
		exit  int
		want  []string
	}{
		{"client-block", 0, []string{"client-block: may be enforced on the first day", "  in the last 24 hours it would have refused 1, of which 0 are likely good (mailweir would --check=client-block)\n", "client-block: enforced"}},
		{"greylist", exUsage, []string{"greylist: may be enforced after a week", "it would have refused 2, of which 0 are likely good; over 0 days: cannot tell yet", "nothing was changed"}},
	} {
		var out strings.Builder
		code := run([]string{"enforce", tt.check, "--config=" + conf, kept}, &out, &out, "")
		for _, want := range tt.want {
			if code != tt.exit || !strings.Contains(out.String(), want) {
				t.Errorf("%s: exit %d, without %q:\n%s", tt.check, code, want, out.String())
			}
		}
	}
}

func TestEvidence(t *testing.T) {
	for decision, safe := range map[would.Decision]bool{would.SafeToEnforce: true, would.NotYet: false, would.CannotTell: false} {
		if got := (evidence{week: &would.Check{Decision: decision}}).safe(); got != safe {
			t.Errorf("%s: %v", decision, got)
		}
	}
	if (evidence{}).safe() {
		t.Error("nothing is known, and yet it is safe")
	}
}
