package postfix_test

import (
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
	before, err := postfix.Read(t.Context(), run, draft.Dir())
	if err != nil {
		t.Fatal(err)
	}
	value := postfix.Attach(before.Set["smtpd_milters"], postfix.Attachment{Address: "unix:mailweir/mailweir.sock", Action: "accept"})
	for _, err := range []error{
		draft.Set(t.Context(), "smtpd_milters", value),
		draft.SetOverride(t.Context(), "smtp/inet", "smtpd_milters", value),
		draft.SetOverride(t.Context(), "smtp/inet", "smtpd_hard_error_limit", "1100"),
		draft.Remove(t.Context(), "compatibility_level"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	after, err := postfix.Read(t.Context(), run, draft.Dir())
	if err != nil {
		t.Fatal(err)
	}
	mx := after.Service("smtp/inet")
	milters, err := postfix.ParseMilters(after.Value(mx, "smtpd_milters"))
	if err != nil || len(milters) != 3 || milters[2].Address != "inet:127.0.0.1:2" || after.Value(mx, "smtpd_hard_error_limit") != "1100" {
		t.Errorf("%v %+v %q", err, milters, mx.Overrides)
	}
	mainNow, masterNow, err := draft.Files()
	if err != nil || !strings.Contains(string(mainNow), "# milters\n") || !strings.HasPrefix(string(masterNow), "smtp inet n - y - - smtpd\n  -o syslog_name=mx\n  -o ") {
		t.Errorf("%v\n%s\n%s", err, mainNow, masterNow)
	}
	if err := draft.Set(t.Context(), "smtpd_milters", "a\nb"); err == nil {
		t.Error("a value of two lines was taken")
	}
	if err := draft.SetOverride(t.Context(), "smtps/inet", "a", "b"); err == nil {
		t.Error("a service that is not there was changed")
	}
}
