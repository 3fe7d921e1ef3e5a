package logins

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mailweir/internal/address"
	"mailweir/internal/importing"
	"mailweir/internal/mta"
	"mailweir/internal/mta/postfix"
	"mailweir/internal/table"
	"mailweir/test/testbed"
)

var update = flag.Bool("update", false, "write the golden files")

// host is a Postfix that is set up by files; HERE in them is their directory.
type host struct {
	dir string
	in  *importing.Input
}

func newHost(t *testing.T, files map[string]string) *host {
	t.Helper()
	testbed.Require(t, "postmap")
	h := &host{dir: t.TempDir()}
	for name, text := range files {
		h.write(t, name, text)
	}
	run := mta.Programs(time.Minute)
	found, err := postfix.Read(t.Context(), run, h.dir)
	if err != nil {
		t.Fatal(err)
	}
	h.in = &importing.Input{Postfix: found, Dir: "/etc/mailweir/imported", Run: run}
	return h
}

// write writes a file that is not new: postconf and postmap wait for those.
func (h *host) write(t testing.TB, name, text string) {
	t.Helper()
	path, then := filepath.Join(h.dir, name), time.Now().Add(-time.Hour)
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "HERE", h.dir)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

func (h *host) told(r *importing.Result) string {
	var b strings.Builder
	for _, i := range r.Items {
		fmt.Fprintf(&b, "%s %s %s: %s\n", i.Fate, i.Place, i.Text, i.Reason)
	}
	for _, f := range r.Flags {
		fmt.Fprintf(&b, "\n%s = %s", f.Name, f.Value)
	}
	for _, f := range r.Files {
		fmt.Fprintf(&b, "\n\n== %s\n%s", f.Name, f.Text)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\nnote: %s", n)
	}
	return strings.ReplaceAll(b.String(), h.dir, "HERE") + "\n"
}

const submission = "smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n"

func TestGolden(t *testing.T) {
	t.Parallel()
	main := "compatibility_level = 3.6\nmydestination = ours.example, localhost\nmyorigin = ours.example\nrecipient_delimiter = +\n"
	var b strings.Builder
	for _, c := range []struct{ name, main, master string }{
		{"main.cf", "smtpd_sender_login_maps = hash:HERE/good, pcre:HERE/patterns\nsmtpd_sender_restrictions = reject_sender_login_mismatch\n", submission},
		{"master.cf", "smtpd_sender_login_maps = mysql:HERE/sql.cf\n", submission + "  -o smtpd_sender_restrictions=permit_mynetworks,reject_authenticated_sender_login_mismatch\n"},
		{"local parts", "smtpd_sender_login_maps = hash:HERE/local\nsmtpd_sender_restrictions = reject_authenticated_sender_login_mismatch\n", submission},
		{"local parts of unknown domains", "mydestination = hash:HERE/good\nsmtpd_sender_login_maps = hash:HERE/good, hash:HERE/local\nsmtpd_sender_restrictions = reject_sender_login_mismatch\n", submission},
		{"never reached", "smtpd_sender_login_maps = hash:HERE/good\nsmtpd_recipient_restrictions = permit_sasl_authenticated, reject_sender_login_mismatch\n", submission},
		{"unknown senders may", "smtpd_sender_login_maps = hash:HERE/good\nsmtpd_sender_restrictions = reject_known_sender_login_mismatch, reject_unauthenticated_sender_login_mismatch, warn_if_reject reject_sender_login_mismatch\n", submission},
		{"nobody asks", "smtpd_sender_login_maps = hash:HERE/good\n", submission},
		{"unionmap", "smtpd_sender_login_maps = hash:HERE/good, unionmap:{hash:HERE/good,static:x}\nsmtpd_sender_restrictions = reject_sender_login_mismatch\n", submission},
		{"patterns that RE2 does not know", "smtpd_sender_login_maps = pcre:HERE/strange\nsmtpd_sender_restrictions = reject_sender_login_mismatch\n", submission},
		{"two services", "smtpd_sender_login_maps = hash:HERE/good\nsmtpd_sender_restrictions = reject_sender_login_mismatch\n", submission + "  -o smtpd_sender_login_maps=static:boss\n"},
		{"inline", "smtpd_sender_login_maps = inline:{a@ours.example=a, {@b.example = b c}, d=d}\nsmtpd_sender_restrictions = reject_sender_login_mismatch\n", submission},
		{"database alone", "smtpd_sender_login_maps = hash:HERE/gone\nsmtpd_sender_restrictions = reject_sender_login_mismatch\n", submission},
		{"none", "smtpd_sender_restrictions = reject_sender_login_mismatch\n", submission},
	} {
		h := newHost(t, map[string]string{
			"main.cf": main + c.main, "master.cf": c.master,
			"good": "a@ours.example a, boss\n@b.example b\n", "patterns": "/^(.*)@c\\.example$/ $1\n", "strange": "/^(?!x)@c\\.example$/ a\n", "sql.cf": "hosts = 127.0.0.1\n",
			"local": "a@ours.example a\na b\nbob bob\nbob+x carol\nwww@ nobody\n.x y\nempty\nA c\n", "gone": "a@ours.example a\n",
		})
		if c.name == "database alone" {
			if out, err := exec.Command("postmap", "-c", h.dir, "hash:"+filepath.Join(h.dir, "gone")).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if err := os.Remove(filepath.Join(h.dir, "gone")); err != nil {
				t.Fatal(err)
			}
		}
		result, err := Source().Read(t.Context(), h.in)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "== %s\n%s\n", c.name, h.told(result))
	}
	const file = "testdata/want"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || b.String() != string(want) {
		t.Errorf("%v, got\n%s", err, b.String())
	}
}

// Each sender has the same owners in mailweir's map and in Postfix's, as the real postmap says it.
func TestOwnersAgree(t *testing.T) {
	t.Parallel()
	boxes := rapid.SampledFrom([]string{"a", "bob", "bob+x", "list+a+b", "list", "ours.example"})
	domains := rapid.SampledFrom([]string{"ours.example", "mail.ours.example", "b.example", "localhost"})
	h := newHost(t, map[string]string{
		"main.cf": "compatibility_level = 3.6\nmydestination = ours.example, localhost\nmyorigin = ours.example\nrecipient_delimiter = +\n" +
			"smtpd_sender_login_maps = texthash:HERE/map\nsmtpd_sender_restrictions = reject_sender_login_mismatch\n",
		"master.cf": submission,
	})
	file := filepath.Join(h.dir, "map")
	rapid.Check(t, func(rt *rapid.T) {
		var text strings.Builder
		for n := range rapid.IntRange(1, 10).Draw(rt, "lines") {
			box, domain := boxes.Draw(rt, "box"), domains.Draw(rt, "domain")
			key := rapid.SampledFrom([]string{box + "@" + domain, box + "@" + domain, box, box, "@" + domain, domain, box + "@"}).Draw(rt, "key")
			fmt.Fprintf(&text, "%s owner%d\n", key, n)
		}
		h.write(t, "map", text.String())
		r, err := Source().Read(t.Context(), h.in)
		if err != nil {
			rt.Fatal(err)
		}
		out := t.TempDir()
		var specs []string
		for _, f := range r.Flags {
			specs = append(specs, strings.ReplaceAll(f.Value, h.in.Dir, out))
		}
		for _, f := range r.Files {
			if err := os.WriteFile(filepath.Join(out, f.Name), []byte(f.Text), 0o600); err != nil {
				rt.Fatal(err)
			}
		}
		o := options()
		o.Delimiters = "+"
		list, err := table.NewLoader(nil).List(o, specs...)
		if err != nil {
			rt.Fatalf("%v\n%s", err, h.told(r))
		}
		var keys []string
		var senders []string
		for range 20 {
			sender := boxes.Draw(rt, "sender") + "@" + domains.Draw(rt, "of")
			senders = append(senders, sender)
			keys = append(keys, sequence(sender)...)
		}
		known := ask(rt, h.dir, "texthash:"+file, keys)
		for _, sender := range senders {
			was := ""
			for _, key := range sequence(sender) {
				if was = known[key]; was != "" {
					break
				}
			}
			a := address.Parse(sender)
			m, err := list.Address(t.Context(), a)
			if err == nil && !m.Found() {
				m, err = list.Key(t.Context(), "@"+a.Domain)
			}
			if err != nil || m.Value != was {
				rt.Fatalf("%s: Postfix: %q, mailweir: %q by %s:%d, %v\n%s\n%s", sender, was, m.Value, m.Table, m.Line, err, text.String(), h.told(r))
			}
		}
	})
}

// sequence is what Postfix looks up for a sender (check_mail_addr_find).
func sequence(sender string) (keys []string) {
	local, domain, _ := strings.Cut(sender, "@")
	base, _, extended := strings.Cut(local, "+")
	keys = append(keys, sender)
	if extended {
		keys = append(keys, base+"@"+domain)
	}
	if domain == "ours.example" || domain == "localhost" {
		keys = append(keys, local)
		if extended {
			keys = append(keys, base)
		}
	}
	return append(keys, "@"+domain)
}

func ask(t *rapid.T, config, spec string, keys []string) map[string]string {
	cmd := exec.Command("postmap", "-c", config, "-q", "-", spec)
	cmd.Stdin = strings.NewReader(strings.Join(keys, "\n") + "\n")
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v: %v", cmd, err)
	}
	answers := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		answers[key] = value
	}
	return answers
}
