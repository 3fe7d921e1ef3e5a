package checks

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"mailweir/internal/policytest"
	"mailweir/internal/resource"
	"mailweir/internal/runner"
	"mailweir/internal/table"
	"mailweir/internal/table/tabletest"
)

// tableCase is one flag of a check that takes tables: what is said to a letter when the table has
// no entry, when it has one, and when it cannot answer.
type tableCase struct {
	flag              string
	flags             []string
	letter            policytest.Letter
	key, value        string
	without, with     string
	failing           string
	before            func(t *testing.T, h *policytest.Host)
	failureIsRecorded bool // by an event of its own, because the mail goes on
}

const (
	tryAgain     = "451 4.7.1 Internal resource temporarily unavailable"
	notProcessed = "451 4.3.0 Unable to process email at this time"
)

func tableCases(t *testing.T) []tableCase {
	t.Helper()
	hello := policytest.Letter{Body: "hello\r\n"}
	far := policytest.Letter{To: []string{"x@far.example"}}
	ours := policytest.Letter{From: "boss@ours.example"}
	from := policytest.Letter{Header: []string{"From: a@b.example"}}
	attached := policytest.Letter{Header: []string{"Content-Type: application/octet-stream", "Content-Disposition: attachment; filename=x.exe"}, Body: "hello"}
	cut := policytest.Letter{Header: []string{"Content-Type: multipart/mixed; boundary=b"}, Body: "--b\r\n\r\nhello\r\n"}
	many := policytest.Letter{Client: "198.51.100.1", From: "u@ours.example", To: []string{"a@far.example", "b@far.example"}}
	door := policytest.Letter{Door: "in"}
	definition := "--content-definition=" + policytest.File(t, "c", "!activation 1\n1 hello\n")
	sum := sha256.Sum256([]byte("hello"))
	relay, unwanted := "rcpt 451 4.7.1 Open relay not allowed", "554 5.7.1 Email rejected due to security policies (Bad)"
	const content, lockout = "Message bounced due to Content Examination Policy", "rcpt 550 5.7.1 Administrative Lockout - Inbound not allowed"
	return []tableCase{
		{flag: "account-list", key: "ours.example", value: "inbound x", with: "rcpt 451 4.3.2 Account inbounds disabled", failureIsRecorded: true},
		{flag: "client-block-list", key: "192.0.2", value: "REJECT", with: "mail 421 4.7.1 Sender address blocked", failureIsRecorded: true},
		{flag: "envelope-from-list", key: "else.example", value: "REJECT", with: "rcpt 550 5.7.1 Envelope Rejected - Block policy for Envelope from address", failureIsRecorded: true},
		{flag: "sender-block-list", key: "else.example", value: "REJECT", with: "rcpt 550 5.7.1 Administrative prohibition - envelope blocked", failing: "rcpt " + tryAgain},
		{flag: "header-from-list", letter: from, key: "b.example", value: "REJECT", with: "end 550 5.7.1 Rejected by header based Blocked Senders - Block policy for Header From", failing: "end " + notProcessed},
		{flag: "managed-list", key: "user@ours.example", value: "block sender@else.example", with: "rcpt 550 5.7.1 Envelope blocked - User Entry", failing: "rcpt " + tryAgain},
		{flag: "sender-login-map", letter: policytest.Letter{Login: "bob", From: "a@ours.example"}, key: "a@ours.example", value: "bob", without: "mail 553 5.7.1 Sender address rejected: not owned by user", failing: "mail " + tryAgain},
		{flag: "require-auth-exempt", flags: []string{"--services=in=submission"}, letter: door, key: "192.0.2.1", value: "x", without: "mail 550 5.7.0 Submitter failed to authenticate", failing: "mail " + tryAgain},
		{flag: "require-tls-routes", key: "else.example", value: "tls", with: "rcpt 553 5.7.1 This route requires encryption (TLS)", failing: "rcpt " + tryAgain},
		{flag: "size-limits", letter: policytest.Letter{Size: 5000}, key: "else.example", value: "1KiB", with: "mail 554 5.3.4 Maximum email size exceeded", failureIsRecorded: true},
		{flag: "recipient-access", key: "ours.example", value: "REJECT", with: "rcpt 550 5.1.1 Invalid Recipient", failing: "rcpt 451 4.4.3 Recipient Temporarily Unavailable"},
		{flag: "open-relay-clients", letter: far, key: "192.0.2.1", value: "x", without: relay, failing: relay},
		{flag: "open-relay-exceptions", letter: far, key: "far.example", value: "x", without: relay, failing: relay},
		{flag: "open-relay-senders", flags: []string{"--permit-clients=static:OK"}, letter: far, key: "else.example", value: "x", without: relay, failing: relay},
		{flag: "lockout-clients", flags: []string{"--lockout=enforce"}, letter: ours, key: "192.0.2.1", value: "x", without: lockout, failing: "rcpt " + tryAgain},
		{flag: "lockout-senders", flags: []string{"--lockout=enforce"}, letter: ours, key: "boss@ours.example", value: "OK", without: lockout, failing: "rcpt " + tryAgain},
		{
			flag: "concurrency-exempt", flags: []string{"--concurrency=enforce", "--concurrency-client=1"}, key: "192.0.2.1", value: "x",
			without: "rcpt 451 4.7.0 Account service temporarily unavailable", failing: "rcpt 451 4.7.0 Account service temporarily unavailable", before: busy,
		},
		{
			flag: "outbound-limit-clients", flags: []string{"--trusted-nets=198.51.100.0/24", "--outbound-limit=enforce", "--outbound-limit-rate=1/1h"}, letter: many,
			key: "198.51.100.1", value: "x", with: "rcpt 550 5.7.0 Exceeding outbound thread limit", failureIsRecorded: true,
		},
		{flag: "greylist-bypass", flags: []string{"--greylist=enforce", "--greylist-skip-spf=off"}, key: "else.example", value: "OK", without: "rcpt " + tryAgain, failing: "rcpt " + tryAgain},
		{flag: "greylist-bypass-clients", flags: []string{"--greylist=enforce", "--greylist-skip-spf=off"}, key: "192.0.2.1", value: "OK", without: "rcpt " + tryAgain, failing: "rcpt " + tryAgain},
		{flag: "greylist-bypass-recipients", flags: []string{"--greylist=enforce", "--greylist-skip-spf=off"}, key: "user@", value: "OK", without: "rcpt " + tryAgain, failing: "rcpt " + tryAgain},
		{
			flag: "auto-allow-skip", flags: []string{"--greylist=enforce", "--greylist-skip-spf=off", "--trusted-nets=198.51.100.0/24"}, key: "sender@else.example", value: "x",
			with: "rcpt " + tryAgain, failing: "rcpt " + tryAgain, before: written,
		},
		{flag: "content-bypass", flags: []string{definition}, letter: hello, key: "else.example", value: "OK", without: "end 550 5.7.1 " + content, failing: "end 451 4.7.1 " + content},
		{flag: "signature-bypass", flags: []string{"--signature-names=inline:{x.exe=Bad}"}, letter: attached, key: "user@ours.example", value: "OK", without: "end " + unwanted, failing: "end 451 4" + strings.TrimPrefix(unwanted, "554 5")},
		{flag: "signature-names", letter: attached, key: "x.exe", value: "Bad", with: "end " + unwanted, failureIsRecorded: true},
		{flag: "signature-hashes", letter: attached, key: hex.EncodeToString(sum[:]), value: "Bad", with: "end " + unwanted, failureIsRecorded: true},
		{flag: "truncated-bypass", flags: []string{"--truncated=enforce"}, letter: cut, key: "user@ours.example", value: "OK", without: "end 451 4.6.0 Message ended early", failing: "end 451 4.6.0 Message ended early"},
	}
}

// busy has another transaction of the client under way.
func busy(t *testing.T, h *policytest.Host) {
	s, said := h.Begin(policytest.Letter{To: []string{"other@ours.example"}})
	if said != "" {
		t.Errorf("the first transaction is refused: %s", said)
	}
	t.Cleanup(s.Close)
}

// written has our user write to the sender before.
func written(t *testing.T, h *policytest.Host) {
	if said := h.Visit(policytest.Letter{Client: "198.51.100.1", From: "user@ours.example", To: []string{"sender@else.example"}}); len(said) > 0 {
		t.Errorf("our user may not write: %q", said)
	}
}

// TestTablesThatWait: every flag that takes tables takes such as wait, and does what is right when
// they have no entry, when they have one and when they cannot answer.
func TestTablesThatWait(t *testing.T) {
	names := policytest.Names{"else.example TXT": "v=spf1 ip4:192.0.2.1 -all"}
	for _, c := range tableCases(t) {
		for _, when := range []struct {
			name, said string
			set        func(*tabletest.Table)
		}{
			{"no entry", c.without, func(*tabletest.Table) {}},
			{"an entry", c.with, func(one *tabletest.Table) { one.Put(c.key, c.value) }},
			{"no answer", c.failing, func(one *tabletest.Table) { one.Fail(errors.New("connection refused")) }},
		} {
			t.Run(c.flag+"/"+when.name, func(t *testing.T) {
				var tables tabletest.Tables
				world := policytest.NewWorld()
				world.DNS, world.Lists, _ = names.Serve(t)
				world.Tables = func(_ *resource.Holder, kind, source string) (table.Waiting, error) { return tables.Open(kind, source) }
				p, err := whole().Build(world, append(c.flags, "--"+c.flag+"=test:a")...)
				if err != nil {
					t.Fatal(err)
				}
				p.Ready(t.Context()) // else checks ask because they know too little
				h := policytest.NewHost(t, world, p)
				if c.before != nil {
					c.before(t, h)
				}
				one := tables.Table("a")
				when.set(one)
				got := h.Send(c.letter)
				if said := strings.Join(got.Said, "\n"); said != when.said {
					t.Errorf("said %q, want %q; events %q", said, when.said, policytest.Lines(got.Events))
				}
				if len(one.Asked()) == 0 {
					t.Error("the table was not asked")
				}
				check := strings.TrimSuffix(c.flag, c.flag[strings.LastIndexByte(c.flag, '-'):])
				if want := []string{check + " check_error"}; when.name == "no answer" && c.failureIsRecorded && !strings.Contains(strings.Join(policytest.Lines(got.Events), "\n"), want[0]) {
					t.Errorf("events %q, want %q", policytest.Lines(got.Events), want)
				}
			})
		}
	}
}

// TestEveryTableIsTried: no flag that takes tables is left out above.
func TestEveryTableIsTried(t *testing.T) {
	tried := map[string]bool{ // what all checks share is tried in the runner's own tests
		"local-domains": true, "inbound-relays": true, "permit-clients": true, "permit-senders": true, "enforce-for": true, "monitor-for": true,
		"header-from-names": true, // takes none that waits
	}
	for _, c := range tableCases(t) {
		tried[c.flag] = true
	}
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	runner.NewDraft(Registry(), set)
	n := 0
	set.VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() != "TABLE" {
			return
		}
		if n++; !tried[f.Name] {
			t.Errorf("--%s is not tried with a table that waits", f.Name)
		}
	})
	if n != len(tried) {
		t.Errorf("%d flags take tables, %d are tried", n, len(tried))
	}
}
