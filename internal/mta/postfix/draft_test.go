package postfix_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/mta"
	"mailweir/internal/mta/postfix"
	"mailweir/test/testbed"
)

// TestDraft edits with the real postconf, which reads back what was written.
func TestDraft(t *testing.T) {
	testbed.Require(t, "postfix")
	const main = "compatibility_level = 3.6\n# milters\nsmtpd_milters = inet:127.0.0.1:8891,\n  # of a signer\n  $other\nother = inet:127.0.0.1:2\n"
	const master = "smtp inet n - y - - smtpd\n  -o syslog_name=mx\npickup unix n - y 60 1 pickup\n"
	run := mta.Programs(20 * time.Second)
	draft, err := postfix.NewDraft(run, []byte(main), []byte(master))
	if err != nil {
		t.Fatal(err)
	}
	defer draft.Close()
	value := postfix.Attach("inet:127.0.0.1:8891, $other", postfix.Attachment{Address: "unix:mailweir/mailweir.sock", Action: "accept"})
	for _, err := range []error{
		draft.Set(t.Context(), "smtpd_milters", value),
		draft.SetOverride("smtp/inet", "smtpd_milters", value),
		draft.SetOverride("smtp/inet", "smtpd_hard_error_limit", "1100"),
		draft.Remove(t.Context(), "compatibility_level"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	mainNow, masterNow, err := draft.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string][]byte{"main.cf": mainNow, "master.cf": masterNow} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
		past := time.Now().Add(-time.Minute)
		if err := os.Chtimes(filepath.Join(dir, name), past, past); err != nil {
			t.Fatal(err)
		}
	}
	after, err := postfix.Read(t.Context(), run, dir)
	if err != nil {
		t.Fatal(err)
	}
	mx := after.Service("smtp/inet")
	milters, err := postfix.ParseMilters(after.Value(mx, "smtpd_milters"))
	if err != nil || len(milters) != 3 || milters[2].Address != "inet:127.0.0.1:2" || after.Value(mx, "smtpd_hard_error_limit") != "1100" {
		t.Errorf("%v %+v %q", err, milters, mx.Overrides)
	}
	if !strings.Contains(string(mainNow), "# milters\n") || !strings.HasPrefix(string(masterNow), "smtp inet n - y - - smtpd\n  -o syslog_name=mx\n  -o ") {
		t.Errorf("%s\n%s", mainNow, masterNow)
	}
	if err := draft.Set(t.Context(), "smtpd_milters", "a\nb"); err == nil {
		t.Error("a value of two lines was taken")
	}
	if err := draft.SetOverride("smtps/inet", "a", "b"); err == nil {
		t.Error("a service that is not there was changed")
	}
	if err := draft.SetOverride("smtp/inet", "syslog_name", "a } b"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := draft.Files(t.Context()); err == nil {
		t.Error("what Postfix reads otherwise was taken")
	}
}
