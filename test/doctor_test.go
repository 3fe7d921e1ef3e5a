package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// reported is a finding of mailweir doctor --json.
type reported struct{ Level, What, Subject, Why, Command string }

// doctorBed is a Postfix with a mailweir that doctor looks at.
type doctorBed struct {
	mta    *testbed.MTA
	binary string
	etc    string
	flags  []string
}

// startDoctorBed starts a Postfix with more lines in main.cf and more services in master.cf, and a
// mailweir beside it.
func startDoctorBed(t *testing.T, main func(*testbed.MTA) string, master string, flags ...string) (*doctorBed, *testbed.Mailweir) {
	t.Helper()
	testbed.Require(t, "root")
	testbed.Require(t, "postfix")
	mta := testbed.StartMTA(t, "postfix", testbed.MTAConfig{ErrorLimit: 20, NoMilter: true})
	dir := testbed.TempDir(t)
	b := &doctorBed{mta: mta, binary: testbed.BuildMailweir(t), etc: filepath.Join(filepath.Dir(filepath.Clean(mta.Below(""))), "etc")}
	b.flags = append([]string{"--listen=unix:" + mta.Milter, "--control=unix:" + filepath.Join(dir, "control"), "--state=file:" + filepath.Join(dir, "state"), mta.Services()}, flags...)
	daemon := testbed.StartMailweir(t, testbed.MailweirConfig{Binary: b.binary, Socket: mta.Milter, Flags: b.flags[1:]})
	b.change(t, "main.cf", func(text string) string { return text + main(mta) + "\n" })
	b.change(t, "master.cf", func(text string) string { return text + strings.ReplaceAll(master, "REINJECT", mta.Reinject) })
	return b, daemon
}

// change edits a file of Postfix, and makes it look as if that had been some time ago: postconf
// waits otherwise.
func (b *doctorBed) change(t *testing.T, name string, edit func(string) string) {
	t.Helper()
	path := filepath.Join(b.etc, name)
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(edit(string(text))), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.settle(t)
}

func (b *doctorBed) settle(t *testing.T) {
	t.Helper()
	past := time.Now().Add(-time.Minute)
	for _, name := range []string{"main.cf", "master.cf"} {
		if err := os.Chtimes(filepath.Join(b.etc, name), past, past); err != nil {
			t.Fatal(err)
		}
	}
}

// sh runs a command that doctor has printed.
func (b *doctorBed) sh(t *testing.T, command string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", command)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	b.settle(t)
}

// report runs doctor.
func (b *doctorBed) report(t *testing.T, skip string) (findings []reported, exit int) {
	t.Helper()
	cmd := exec.Command(b.binary, append([]string{"doctor", "--json", "--config=", "--skip=clock,disk" + skip, "--postfix-config-dir=" + b.etc, "--sendmail-config-dir=/nowhere"}, b.flags...)...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	var r struct{ Findings []reported }
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, &complaints)
	}
	return r.Findings, cmd.ProcessState.ExitCode()
}

// faults are the findings that are not in order, as lines.
func faults(findings []reported) string {
	var b strings.Builder
	for _, f := range findings {
		if f.Level != "ok" {
			fmt.Fprintf(&b, "%s %s %s: %s; %s\n", f.Level, f.What, f.Subject, f.Why, f.Command)
		}
	}
	return b.String()
}

// Every command that doctor prints for Postfix is the repair: once it has been given, the finding
// is gone, and in the end none is left.
func TestDoctorRepairs(t *testing.T) {
	t.Parallel()
	planted := func(mta *testbed.MTA) string {
		return `soft_bounce = yes
smtpd_delay_reject = no
header_size_limit = 5000
milter_protocol = 2
milter_default_action = accept
mailweir = { unix:` + mta.Milter + `, connect_timeout=5s, command_timeout=8s, content_timeout=60s, default_action=reject }
smtpd_milters = unix:opendkim/opendkim.sock $mailweir inet:127.0.0.1:11332
non_smtpd_milters = $mailweir
content_filter = smtp:[127.0.0.1]:1
smtpd_client_restrictions = reject_rbl_client bl.test, permit
smtpd_recipient_restrictions = permit_mynetworks, check_policy_service inet:127.0.0.1:10023, check_policy_service unix:private/policyd-spf, permit
postscreen_dnsbl_sites = bl.test*2 other.test`
	}
	const services = `2525 inet n - n - - smtpd
 -o smtpd_recipient_limit=50 -o smtpd_sender_restrictions=check_policy_service,unix:postgrey/socket,permit
2526 inet n - n - - smtpd -o smtpd_milters=inet:127.0.0.1:11332
2527 inet n - n - - smtpd -o smtpd_milters=
2528 inet n - n - 1 postscreen
127.0.0.1:10025 inet n - n - - smtpd -o content_filter= -o receive_override_options=no_address_mappings
`
	b, _ := startDoctorBed(t, planted, services, "--rbl-zone=bl.test", "--greylist=monitor", "--spam-scanner=rspamd:http://127.0.0.1:1", "--size-max=90MiB")
	b.change(t, "main.cf", func(text string) string {
		return strings.Replace(text, "message_size_limit = 0", "message_size_limit = 1000000", 1)
	})
	// The list, its resolver and the scanner are not there; and $mailweir is named by nobody once
	// the list is written out.
	const skip = ",dns-lists,resolver,scanners,backends,record,files,postfix"
	findings, exit := b.report(t, skip)
	if exit != 2 {
		t.Errorf("exit code %d", exit)
	}
	repaired := map[string]bool{}
	for range 40 {
		next := -1
		for i, f := range findings {
			if strings.HasPrefix(f.Command, "postconf -") && f.Level != "ok" && !strings.HasSuffix(f.Command, " -n") {
				next = i
				break
			}
		}
		if next < 0 {
			break
		}
		wrong := findings[next]
		command, reload, _ := strings.Cut(wrong.Command, " && postfix ")
		if reload != "-c "+b.etc+" reload" {
			t.Errorf("behind %s is no reload", wrong.Command)
		}
		b.sh(t, command)
		findings, _ = b.report(t, skip)
		for _, f := range findings {
			if f.What == wrong.What && f.Why == wrong.Why && f.Subject == wrong.Subject {
				t.Fatalf("after %s there is still: %s", wrong.Command, faults(findings))
			}
		}
		repaired[wrong.What] = true
	}
	if left := faults(findings); left != "" {
		t.Errorf("left is\n%s", left)
	}
	for _, id := range strings.Fields("service-milters default-action protocol timeouts error-limits recipient-limit message-size header-size soft-bounce re-injection non-smtpd delay-reject greylist-twice spf-twice lists-twice scanner-twice signer-first") {
		if !repaired[id] {
			t.Errorf("%s was not found, or has no command", id)
		}
	}
	b.sh(t, "postfix -c "+b.etc+" reload") // once: it waits two seconds for files that have just changed
	b.mta.AwaitGreeting(t, b.mta.MX)
}

// doctor connects to the socket as smtpd does, and says why it would not get there.
func TestDoctorSocket(t *testing.T) {
	t.Parallel()
	attached := func(mta *testbed.MTA) string { return "smtpd_milters = unix:" + mta.Milter }
	b, daemon := startDoctorBed(t, attached, "2525 inet n - n - - smtpd\n")
	socket := func() string {
		t.Helper()
		findings, _ := b.report(t, "")
		var said []string
		for _, f := range findings {
			if f.What == "socket" {
				said = append(said, f.Level+" "+f.Why)
			}
		}
		return strings.Join(said, "; ")
	}
	dir := filepath.Dir(b.mta.Milter)
	for _, step := range []struct {
		name string
		do   func() error
		want string
	}{
		{"in order", func() error { return nil }, "ok mailweir answers postfix at "},
		{"a directory that is closed", func() error { return os.Chmod(dir, 0o700) }, "fault smtpd does not reach mailweir at " + b.mta.Milter + ": the user postfix may not"},
		{"open again", func() error { return os.Chmod(dir, 0o755) }, "ok mailweir answers"},
		{"a socket for its owner alone", func() error { return os.Chmod(b.mta.Milter, 0o600) }, "fault smtpd does not reach mailweir at " + b.mta.Milter + ": the user postfix may not"},
		{"a daemon that is gone", func() error { return daemon.End() }, "fault smtpd does not reach mailweir at " + b.mta.Milter + ": there is no such socket"},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := socket(); !strings.Contains(got, step.want) {
			t.Errorf("%s: %s, want %s", step.name, got, step.want)
		}
	}
	b.change(t, "master.cf", func(text string) string { return strings.ReplaceAll(text, "inet n - n", "inet n - y") })
	if got := socket(); !strings.Contains(got, "it is chrooted and sees nothing outside of "+filepath.Clean(b.mta.Below(""))) {
		t.Errorf("chrooted: %s", got)
	}
}

// Of a real Sendmail doctor finds who is asked, whether mailweir answers, and what becomes of mail
// while it does not.
func TestDoctorSendmail(t *testing.T) {
	t.Parallel()
	testbed.Require(t, "root")
	mta := testbed.StartMTA(t, "sendmail", testbed.MTAConfig{CommandTimeout: 20 * time.Second, ContentTimeout: 2 * time.Minute})
	binary, dir := testbed.BuildMailweir(t), testbed.TempDir(t)
	daemon := testbed.StartMailweir(t, testbed.MailweirConfig{Binary: binary, Socket: mta.Milter})
	made, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(mta.Milter)), "daemon.cf"))
	if err != nil {
		t.Fatal(err)
	}
	report := func(old, new string) string {
		t.Helper()
		text := string(made)
		if !strings.Contains(text, old) {
			t.Fatalf("there is no %q in the cf file", old)
		}
		if err := os.WriteFile(filepath.Join(dir, "sendmail.cf"), []byte(strings.ReplaceAll(text, old, new)), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(binary, "doctor", "--config=", "--listen=unix:"+mta.Milter, "--postfix-config-dir=/nowhere", "--sendmail-config-dir="+dir).Output()
		var ended *exec.ExitError
		if err != nil && !errors.As(err, &ended) {
			t.Fatal(err)
		}
		var lines []string
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, " sendmail-") {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "")
	}
	for _, test := range []struct{ name, old, new, want string }{
		{"in order", "C:10s", "C:30s", "ok      sendmail-filter: F=T, and Sendmail waits longer than mailweir takes\n"},
		{"in order", "C:10s", "C:30s", "ok      sendmail-socket: mailweir answers at unix:" + mta.Milter + "\n"},
		{"a short time", "C:10s", "C:10s", "remark  sendmail-filter: T=C:10s is short; "},
		{"dropped", "O InputMailFilters=mailweir", "O InputMailFilters=", "fault   sendmail-attached: InputMailFilters lacks mailweir: the filter is there, and nobody asks it; mailweir init\n"},
		{"refuses", "F=T", "F=R", "fault   sendmail-filter: F=R: "},
	} {
		if got := report(test.old, test.new); !strings.Contains(got, test.want) {
			t.Errorf("%s: got\n%swant\n%s", test.name, got, test.want)
		}
	}
	if err := daemon.End(); err != nil {
		t.Fatal(err)
	}
	if got, want := report("C:10s", "C:30s"), "fault   sendmail-socket: mailweir does not answer at unix:"+mta.Milter; !strings.Contains(got, want) {
		t.Errorf("gone: got\n%swant\n%s", got, want)
	}
}
