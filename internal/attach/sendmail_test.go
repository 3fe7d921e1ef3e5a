package attach

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailweir/internal/mta"
	"mailweir/internal/mta/sendmail"
	"mailweir/test/testbed"
)

const exampleMC = "divert(0)dnl\nOSTYPE(`linux')dnl\nDAEMON_OPTIONS(`Name=MTA, Family=inet, Port=smtp')dnl\n" +
	"DAEMON_OPTIONS(`Name=MSA, Port=submission, M=Ea')dnl\ndnl INPUT_MAIL_FILTER(`mailweir', `S=inet:1@a')\nMAILER_DEFINITIONS\nMAILER(`local')dnl\nMAILER(`smtp')dnl\n"

// ours is our line.
const ours = "INPUT_MAIL_FILTER(`mailweir', `S=unix:/run/mailweir/mailweir.sock, T=C:30s;S:10s;R:20s;E:2m')dnl\n"

// TestMC attaches and takes away in mc files of many kinds.
func TestMC(t *testing.T) {
	daemons := &sendmail.CF{Daemons: []sendmail.Daemon{{Name: "MTA", Port: "smtp"}, {Name: "MSA", Port: "submission"}}}
	for _, c := range []struct{ name, before, old, new string }{
		{"no filter", exampleMC, "MAILER_DEFINITIONS\n", ours + "MAILER_DEFINITIONS\n"},
		{"in front of another", strings.Replace(exampleMC, "MAILER_DEF", "INPUT_MAIL_FILTER(`sign', `S=local:/x')\nMAILER_DEF", 1), "INPUT_MAIL_FILTER(`sign'", ours + "INPUT_MAIL_FILTER(`sign'"},
		{"no definitions", strings.Replace(exampleMC, "MAILER_DEFINITIONS\n", "", 1), "MAILER(`local')", ours + "MAILER(`local')"},
		{
			"a list that is named", strings.Replace(exampleMC, "MAILER_DEF", "MAIL_FILTER(`a', `S=local:/x')\ndefine(`confINPUT_MAIL_FILTERS', `a, b')dnl\nMAILER_DEF", 1),
			"MAIL_FILTER(`a', `S=local:/x')\ndefine(`confINPUT_MAIL_FILTERS', `a, b')",
			strings.Replace(ours, "INPUT_", "", 1) + "MAIL_FILTER(`a', `S=local:/x')\ndefine(`confINPUT_MAIL_FILTERS', `mailweir, a, b')",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := strings.Replace(c.before, c.old, c.new, 1)
			got, err := attachMC(c.before, "unix:/run/mailweir/mailweir.sock", "", daemons)
			if err != nil || got != want {
				t.Fatalf("%v\n%s\nwant\n%s", err, got, want)
			}
			if again, err := attachMC(got, "unix:/run/mailweir/mailweir.sock", "", daemons); err != nil || again != got {
				t.Errorf("again: %v\n%s", err, again)
			}
			temp, err := attachMC(got, "unix:/run/mailweir/mailweir.sock", "tempfail", daemons)
			if err != nil || strings.Count(temp, "F=T, T=") != 1 {
				t.Errorf("tempfail: %v\n%s", err, temp)
			}
			if kept, err := attachMC(temp, "unix:/other.sock", "", daemons); err != nil || !strings.Contains(kept, "S=unix:/other.sock, F=T, T=") {
				t.Errorf("another address: %v\n%s", err, kept)
			}
			if back, err := detachMC(temp); err != nil || back != c.before {
				t.Errorf("taken away: %v\n%s\nwant\n%s", err, back, c.before)
			}
		})
	}
	own := &sendmail.CF{Daemons: []sendmail.Daemon{{Name: "MTA", Port: "smtp", Options: map[string]string{"I": "a"}}}}
	before := "DAEMON_OPTIONS(`Name=MTA, Port=smtp, InputMailFilters=a')dnl\nDAEMON_OPTIONS(`Name=RE, Port=10026, InputMailFilters=')\nMAILER(`smtp')\n"
	got, err := attachMC(before, "unix:/x", "", own)
	if err != nil || !strings.HasPrefix(got, "DAEMON_OPTIONS(`Name=MTA, Port=smtp, InputMailFilters=mailweir;a')dnl\nDAEMON_OPTIONS(`Name=RE, Port=10026, InputMailFilters=')\n") {
		t.Errorf("a daemon's own list: %v\n%s", err, got)
	}
	if back, err := detachMC(got); err != nil || back != before {
		t.Errorf("%v\n%s", err, back)
	}
	if _, err := attachMC("OSTYPE(`linux')\n", "unix:/x", "", own); err == nil {
		t.Error("an mc file without mailers")
	}
	if _, err := attachMC("MAILER(`smtp'\n", "unix:/x", "", own); err == nil {
		t.Error("an mc file that is broken")
	}
}

func FuzzMC(f *testing.F) {
	f.Add(exampleMC)
	f.Add("INPUT_MAIL_FILTER(`mailweir')MAILER()")
	f.Add("define(`confINPUT_MAIL_FILTERS', `mailweir')MAILER(`x')")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := attachMC(text, "unix:/x", "", &sendmail.CF{})
		if err != nil {
			return
		}
		if _, err := detachMC(got); err != nil {
			t.Errorf("%q: attached, and then %v", text, err)
		}
	})
}

// sendmailBed is the configuration of a real Sendmail, which does not run.
func sendmailBed(t *testing.T, mc string) (h *Host, dir string) {
	t.Helper()
	testbed.Require(t, "sendmail")
	binary, env, cf := testbed.Sendmail(t)
	root := t.TempDir()
	dir = filepath.Join(root, "mail")
	h = testHost(t, root, &strings.Builder{})
	programs := mta.Programs(60*time.Second, env...)
	h.Run = func(ctx context.Context, stdin string, argv ...string) (mta.Output, error) {
		if argv[0] == "sendmail" {
			// Without a qualified name of the host it waits a minute.
			argv = append([]string{"unshare", "--uts", "sh", "-c", `hostname mx.test.example && exec "$0" "$@"`, binary}, argv[1:]...)
		}
		return programs(ctx, stdin, argv...)
	}
	mc = fmt.Sprintf("define(`_CF_DIR_', `%[1]s/')dnl\ninclude(`%[1]s/m4/cf.m4')dnl\n", cf) +
		fmt.Sprintf("define(`confPID_FILE', `%s/pid')dnl\ndefine(`confSERVICE_SWITCH_FILE', `%s/switch')dnl\n", dir, dir) + mc
	put(t, filepath.Join(dir, "switch"), "hosts files\n")
	put(t, filepath.Join(dir, "sendmail.mc"), mc)
	put(t, filepath.Join(dir, "local-host-names"), "# ours\nexample.org\n")
	put(t, filepath.Join(dir, "access"), "Connect:10.1 RELAY\nTo:backup.example RELAY\nspam.example REJECT\n2001:db8::1 RELAY\n")
	out, err := h.Run(t.Context(), mc, "m4", "-")
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "sendmail.cf"), "# made by hand\n"+out.Stdout)
	return h, dir
}

// TestSendmail plans with the real m4 and has the real Sendmail read what comes of it.
func TestSendmail(t *testing.T) {
	mc := "OSTYPE(`linux')dnl\ndefine(`confMAX_MESSAGE_SIZE', `20971520')dnl\nFEATURE(`no_default_msa')dnl\n" +
		"DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=127.0.0.1, Port=smtp')dnl\nLOCAL_DOMAIN(`other.example')dnl\nMAILER(`local')dnl\nMAILER(`smtp')dnl\n"
	h, dir := sendmailBed(t, mc)
	edit := func(old, new string) {
		t.Helper()
		for _, name := range []string{"sendmail.mc", "sendmail.cf"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, name), strings.Replace(string(text), old, new, 1))
		}
	}
	j := &journal{}
	plan, err := h.Plan(t.Context(), Choice{SendmailDir: dir}, j)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.theirs) != 2 {
		t.Fatal(plan.theirs)
	}
	cf := sendmail.ParseCF(string(plan.theirs[1].After))
	if f := cf.Filter("mailweir"); f == nil || f.Socket != "inet:8424@127.0.0.1" || !slices.Equal(cf.InputFilters(nil), []string{"mailweir"}) || f.Read != 20*time.Second || f.Flags != "" {
		t.Errorf("%+v %v", f, cf.InputFilters(nil))
	}
	var out strings.Builder
	if err := plan.Write(&out, h); err != nil || !strings.Contains(out.String(), "+other.example\n") || !strings.Contains(out.String(), "+mx.test.example\n") || !strings.Contains(out.String(), "+size-max = 20971520") {
		t.Errorf("%v\n%s", err, &out)
	}
	edit("20971520", "1048576") // in both files, so they still belong together
	if _, err := h.Plan(t.Context(), Choice{SendmailDir: dir}, j); err != nil {
		t.Error(err)
	}
	put(t, filepath.Join(dir, "sendmail.cf"), strings.Replace(string(plan.theirs[1].Before), "O MaxMessageSize=20971520", "O MaxMessageSize=5", 1))
	if _, err := h.Plan(t.Context(), Choice{SendmailDir: dir}, j); err == nil || !strings.Contains(err.Error(), "is not what m4 makes of") {
		t.Errorf("a cf file that was edited: %v", err)
	}
}

// TestSendmailDropped: a list that is named again behind ours would drop us, and nobody would say
// so.
func TestSendmailDropped(t *testing.T) {
	extra := filepath.Join(t.TempDir(), "extra.m4")
	put(t, extra, "define(`confINPUT_MAIL_FILTERS', `')dnl\n")
	h, dir := sendmailBed(t, "OSTYPE(`linux')dnl\nFEATURE(`no_default_msa')dnl\nMAILER(`smtp')dnl\ninclude(`"+extra+"')dnl\n")
	if _, err := h.Plan(t.Context(), Choice{SendmailDir: dir}, &journal{}); err == nil || !strings.Contains(err.Error(), "names the filters again behind ours") {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dir, "sendmail.mc")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Plan(t.Context(), Choice{SendmailDir: dir}, &journal{}); err == nil {
		t.Error("without an mc file")
	}
}

// TestProposeSendmail: whose mail is local, and who is trusted.
func TestProposeSendmail(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "names"), "# ours\nexample.org\n")
	put(t, filepath.Join(dir, "access"), "Connect:10.1 RELAY\nTo:backup.example RELAY\nspam.example REJECT\n192.168.7 RELAY\n")
	p := proposeSendmail(sendmail.ParseCF(fmt.Sprintf("Cwlocalhost [127.0.0.1]\nFw-o %s/names\nFw%s/none\nCR172.16 friends.example\nKaccess hash -T<TMPF> -o %s/access\nO MaxMessageSize=5\n", dir, dir, dir)))
	text := p.Text() + p.Tables[0].Text + strings.Join(p.Remarks, "\n")
	for _, want := range []string{"\nlocalhost\n", "\nexample.org\n", "\nfriends.example\n", "\n.backup.example\n", "trusted-nets = 127.0.0.0/8,::1/128,172.16.0.0/16,10.1.0.0/16,192.168.7.0/24\n", "size-max = 5\n", "/none: no such file"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "spam.example") || strings.Contains(text, "127.0.0.1]") {
		t.Error(text)
	}
}
