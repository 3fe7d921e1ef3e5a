package rbl

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/policytest"
)

// listed knows three lists of addresses, the last of which fails, and one of names. 192.0.2.1 is on
// bl.example.
var listed = policytest.Names{
	"2.0.0.127.bl.example A": "127.0.0.2", "1.2.0.192.bl.example A": "127.0.0.2",
	"1.2.0.192.bl.example TXT": "see https://bl.example/?ip=192.0.2.1 [no % or \"]",
	"5.2.0.192.bl.example A":   "127.255.255.254",
	"6.2.0.192.bl.example A":   "127.0.0.9",
	"2.0.0.127.wl.example A":   "127.0.0.2", "1.2.0.192.wl.example A": "127.0.0.2",
	"2.0.0.127.ill.example A": "127.0.0.2", "1.2.0.192.ill.example A": "fail", "3.2.0.192.ill.example A": "fail",
	"test.dbl.example A": "127.0.0.2", "bad.example.dbl.example A": "127.0.0.2", "bad.example.dbl.example TXT": "a bad name",
	"good.example A": "192.0.2.1", "good.example TXT": "v=spf1 ip4:192.0.2.0/24 -all",
	"forged.example TXT": "v=spf1 -all",
}

// playDNS plays scenarios with lists.
func playDNS(t *testing.T, shared []string, list []policytest.Scenario) {
	t.Helper()
	for _, c := range list {
		t.Run(c.Name, func(t *testing.T) {
			world := policytest.NewWorld()
			world.DNS, world.Lists, _ = listed.Serve(t)
			p, err := policytest.Only(Check).Build(world, append(slices.Clone(shared), c.Flags...)...)
			if err != nil {
				t.Fatal(err)
			}
			c.Check(t, p)
		})
	}
}

func TestRBL(t *testing.T) {
	const refused = `rcpt 550 5.7.1 bl.example Blocked - see see https://bl.example/?ip=192.0.2.1 (no % or ")`
	bl := []string{"--rbl-zone=bl.example"}
	playDNS(t, bl, []policytest.Scenario{
		{Name: "listed", Said: refused, Events: "rbl refused", Cause: "192.0.2.1: score 1 (bl.example +1 127.0.0.2)"},
		{Name: "neighbour", Mail: policytest.Letter{Client: "192.0.2.2"}},
		{Name: "error code", Mail: policytest.Letter{Client: "192.0.2.5"}, Events: "rbl check_error"},
		{Name: "error code, deferred", Flags: []string{"--rbl-on-error=defer"}, Mail: policytest.Letter{Client: "192.0.2.5"}, Said: "rcpt 451 4.7.1 Internal resource temporarily unavailable"},
		{Name: "each recipient", Mail: policytest.Letter{To: []string{"a@ours.example", "b@ours.example"}}, Said: refused + "\n" + refused},
		{Name: "allow list", Flags: []string{"--rbl-zone=wl.example*-1"}},
		{Name: "allow list that weighs less", Flags: []string{"--rbl-zone=bl.example*2", "--rbl-zone=wl.example*-1"}, Said: refused},
		{Name: "threshold", Flags: []string{"--rbl-threshold=2"}},
		{Name: "the same", Flags: []string{"--rbl-zone=bl.example=127.0.0.2"}, Said: refused},
		{Name: "a list that fails cannot save", Flags: []string{"--rbl-zone=ill.example"}, Said: refused},
		{Name: "monitored list", Flags: []string{"--rbl-monitor-zone=bl.example"}, Events: "rbl would_refuse"},
		{Name: "monitored list beside one that has its say", Flags: []string{"--rbl-zone=wl.example", "--rbl-monitor-zone=wl.example"}, Said: refused, Events: "rbl refused", Cause: "192.0.2.1: score 1 (bl.example +1 127.0.0.2"},
		{Name: "monitored list that fails", Flags: []string{"--rbl-zone=ill.example", "--rbl-monitor-zone=ill.example", "--rbl-on-error=defer"}, Mail: policytest.Letter{Client: "192.0.2.3"}},
		{Name: "monitored list below the threshold", Flags: []string{"--rbl-monitor-zone=bl.example", "--rbl-threshold=2"}},
		{Name: "monitor", Flags: []string{"--rbl=monitor"}, Events: "rbl would_refuse"},
		{Name: "defer", Flags: []string{"--rbl=defer"}, Said: "rcpt 451 4" + refused[len("rcpt 550 5"):]},
		{Name: "trusted", Mail: policytest.Letter{Login: "alice"}},
		{Name: "trusted net", Flags: []string{"--trusted-nets=192.0.2.0/24"}},
		{Name: "inbound relay", Flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}},
		{Name: "permitted client", Flags: []string{"--permit-clients=inline:{192.0.2.1=OK}"}},
		{Name: "permitted sender, SPF pass", Flags: []string{"--permit-senders=inline:{good.example=OK}"}, Mail: policytest.Letter{From: "a@good.example"}},
		{Name: "permitted sender, forged", Flags: []string{"--permit-senders=inline:{forged.example=OK}"}, Mail: policytest.Letter{From: "a@forged.example"}, Said: refused},
		{Name: "null sender", Flags: []string{"--permit-senders=static:OK"}, Mail: policytest.Letter{From: "<>"}, Said: refused},
		{Name: "abuse", Mail: policytest.Letter{To: []string{"abuse@ours.example"}}},
		{Name: "abuse and another", Mail: policytest.Letter{To: []string{"abuse@ours.example", "a@ours.example"}}, Said: refused},
		{Name: "unknown client", Mail: policytest.Letter{Client: "none"}},
		{Name: "filter", Flags: []string{"--rbl-threshold=5", "--rbl-zone=bl.example=127.0.0.[2..4]*4"}, Said: refused},
		{Name: "filter that does not match", Flags: []string{"--rbl-threshold=5", "--rbl-zone=bl.example=127.0.0.3*4"}},
		{Name: "answered at MAIL", Flags: []string{"--answer-at=mail"}, Said: "mail" + refused[len("rcpt"):]},
	})
}

func TestRHSBL(t *testing.T) {
	const rcpt, end = "rcpt 550 5.7.1 dbl.example Blocked - see a bad name", "end 550 5.7.1 dbl.example Blocked - see a bad name"
	playDNS(t, []string{"--rhsbl-zone=dbl.example"}, []policytest.Scenario{
		{Name: "sender", Mail: policytest.Letter{From: "a@bad.example"}, Said: rcpt, Events: "rbl refused"},
		{Name: "HELO", Mail: policytest.Letter{Helo: "bad.example"}, Said: rcpt},
		{Name: "host name", Mail: policytest.Letter{Name: "bad.example"}, Said: rcpt},
		{Name: "header From", Mail: policytest.Letter{Header: []string{"From: a@else.example, b@bad.example"}}, Said: end},
		{Name: "neighbour", Mail: policytest.Letter{From: "a@good.example", Helo: "[192.0.2.1]", Name: "unknown", Header: []string{"From: a@else.example"}}},
		{Name: "monitored list, sender", Flags: []string{"--rbl-monitor-zone=dbl.example"}, Mail: policytest.Letter{From: "a@bad.example"}, Events: "rbl would_refuse"},
		{Name: "monitored list, host name after a good sender", Flags: []string{"--rbl-monitor-zone=dbl.example"}, Mail: policytest.Letter{From: "a@good.example", Name: "bad.example"}, Events: "rbl would_refuse", Cause: "bad.example: score 0 (dbl.example +1 127.0.0.2 monitored)"},
		{Name: "monitored list, header From", Flags: []string{"--rbl-monitor-zone=dbl.example"}, Mail: policytest.Letter{Header: []string{"From: a@else.example, b@bad.example"}}, Events: "rbl would_refuse"},
		{Name: "header From, the tenth domain", Mail: policytest.Letter{Header: []string{"From: " + otherDomains(9) + "b@bad.example"}}, Said: end},
		{Name: "header From, the eleventh domain", Mail: policytest.Letter{Header: []string{"From: " + otherDomains(10) + "b@bad.example"}}, Events: "rbl check_error"},
		{Name: "header From, the eleventh domain, defer", Flags: []string{"--rbl-on-error=defer"}, Mail: policytest.Letter{Header: []string{"From: " + otherDomains(10) + "b@bad.example"}}, Said: "end 451 4.3.0 Unable to process email at this time", Events: "rbl deferred"},
		{Name: "header From, ten domains and none is listed", Mail: policytest.Letter{Header: []string{"From: " + otherDomains(10)}}},
		{Name: "header From, one of eleven is listed", Mail: policytest.Letter{Header: []string{"From: b@bad.example, " + otherDomains(10)}}, Said: end},
		{Name: "header From, many addresses of one domain", Mail: policytest.Letter{Header: []string{"From: " + strings.Repeat("a@else.example, ", 1000) + "b@bad.example"}}, Said: end},
		{Name: "monitored list of the other kind", Flags: []string{"--rbl-zone=bl.example", "--rbl-monitor-zone=bl.example"}, Mail: policytest.Letter{Client: "192.0.2.2", From: "a@bad.example"}, Said: rcpt},
	})
}

// otherDomains are addresses of that many domains that are not listed, each with a comma.
func otherDomains(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "x@o%d.example, ", i)
	}
	return b.String()
}

// The sender's From field chooses no more than mostDomains questions, and none twice. That there
// are more names leaves a trace.
func TestHeaderFromQuestions(t *testing.T) {
	world := policytest.NewWorld()
	var asked func() []string
	world.DNS, world.Lists, asked = listed.Serve(t)
	p, err := policytest.Only(Check).Build(world, "--rhsbl-zone=dbl.example")
	if err != nil {
		t.Fatal(err)
	}
	from := "From: a@d0.example"
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		from += ", x@d0.example, x@" + string(c) + ".example"
	}
	policytest.Scenario{Mail: policytest.Letter{Header: []string{from}}, Events: "rbl check_error"}.Check(t, p)
	var seen []string
	for _, question := range asked() {
		if name, ok := strings.CutSuffix(question, ".example.dbl.example A"); ok && len(name) < 3 {
			seen = append(seen, name)
		}
	}
	slices.Sort(seen)
	if len(seen) != mostDomains || len(slices.Compact(seen)) != mostDomains {
		t.Errorf("asked about %d names: %v", len(seen), seen)
	}
}

// TestRBLKnownGood: mail that is permitted and passes SPF shows which lists list good clients, and
// nobody with one domain can have a list suspended that lists him.
func TestRBLKnownGood(t *testing.T) {
	names := policytest.Names{"2.0.0.127.bl.example A": "127.0.0.2"}
	for i := range 20 {
		names[fmt.Sprintf("%d.2.0.192.bl.example A", 100+i)] = "127.0.0.2"
		names[fmt.Sprintf("d%d.example TXT", i)] = "v=spf1 +all"
		names[fmt.Sprintf("a%d.d0.example TXT", i)] = "v=spf1 +all"
	}
	for _, c := range []struct {
		name   string
		sender func(i int) string // of each of 20 listed clients
		asked  bool
	}{
		{"one domain", func(int) string { return "x@d0.example" }, true},
		{"other users of it", func(i int) string { return fmt.Sprintf("x%d@d0.example", i) }, true},
		{"its subdomains", func(i int) string { return fmt.Sprintf("x@a%d.d0.example", i) }, true},
		{"four domains", func(i int) string { return fmt.Sprintf("x@d%d.example", i%4) }, true},
		{"twenty domains", func(i int) string { return fmt.Sprintf("x@d%d.example", i) }, false},
		{"ten domains", func(i int) string { return fmt.Sprintf("x@d%d.example", i/2) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			world := policytest.NewWorld()
			world.DNS, world.Lists, _ = names.Serve(t)
			p, err := policytest.Only(Check).Build(world, "--rbl-zone=bl.example", "--permit-senders=regexp:"+policytest.File(t, "permits", "/@([a-z0-9]+\\.)?d[0-9]+\\.example$/ OK\n"))
			if err != nil {
				t.Fatal(err)
			}
			p.Ready(t.Context())
			h := policytest.NewHost(t, world, p)
			for i := range 20 {
				if said := h.Visit(policytest.Letter{Client: fmt.Sprintf("192.0.2.%d", 100+i), From: c.sender(i)}); len(said) > 0 {
					t.Errorf("permitted mail is refused: %v", said)
				}
			}
			status := world.Lists.Status()[0]
			if status.Asked != c.asked || status.KnownGood != 20 {
				t.Errorf("%+v", status)
			}
		})
	}
}

func TestRBLErrors(t *testing.T) {
	zone := "--rbl-zone=bl.example"
	for _, c := range []struct {
		words string
		flags []string
	}{
		{"--rbl-zone: ", []string{"--rbl-zone=bl..example"}},
		{"--rhsbl-zone: ", []string{"--rhsbl-zone=dbl.example*x"}},
		{"--rbl-threshold: ", []string{zone, "--rbl-threshold=0"}},
		{"--rbl-timeout: ", []string{zone, "--rbl-timeout=0"}},
		{"--rbl-monitor-zone: other.example is no list", []string{zone, "--rbl-monitor-zone=other.example"}},
		{"--rbl-untested-zone: other.example is no list", []string{zone, "--rbl-untested-zone=other.example"}},
		{"--rbl-key: ", []string{zone, "--rbl-key=NAME"}},
		{"--rbl-key NAME=FILE", []string{"--rbl-zone={NAME}.bl.example"}},
	} {
		policytest.Only(Check).WantError(t, c.words, c.flags...)
	}
}

// A key stands in no error, not even where somebody gives it instead of its file.
func TestKeysStaySecret(t *testing.T) {
	const key = "verysecretkey0123456789"
	for _, flags := range [][]string{
		{"--rbl-zone=bl.example", "--rbl-key=" + key},
		{"--rbl-zone=bl.example", "--rbl-key=NAME=" + policytest.File(t, "key", key+" "+key)},
		{"--rbl-zone={OTHER}.bl.example", "--rbl-key=NAME=" + policytest.File(t, "key", key)},
	} {
		if _, err := policytest.Only(Check).Build(policytest.NewWorld(), flags...); err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%v: %v", flags, err)
		}
	}
}

// What is valid and most likely a slip.
func TestRBLRemarks(t *testing.T) {
	open, closed := policytest.File(t, "open", "secretkey"), policytest.File(t, "closed", "secretkey")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		flags []string
		want  string
	}{
		{"nothing", []string{"--rbl-zone=bl.example"}, ""},
		{"threshold", []string{"--rbl-zone=bl.example*2", "--rbl-zone=wl.example*-3", "--rbl-threshold=3"}, "--rbl-threshold=3 cannot be reached: all lists of --rbl-zone together weigh 2"},
		{"threshold in reach", []string{"--rbl-zone=bl.example*2,x.example", "--rbl-threshold=3"}, ""},
		{"threshold in reach with a monitored list", []string{"--rbl-zone=bl.example*2,x.example", "--rbl-monitor-zone=x.example", "--rbl-threshold=3"}, ""},
		{"threshold for names", []string{"--rbl-zone=bl.example*3", "--rhsbl-zone=dbl.example", "--rbl-threshold=3"}, "--rbl-threshold=3 cannot be reached: all lists of --rhsbl-zone together weigh 1"},
		{"key in use", []string{"--rbl-key=DQS=" + closed, "--rbl-zone={DQS}.zen.dq.spamhaus.net"}, ""},
		{"key not in use", []string{"--rbl-key=DQS=" + closed, "--rbl-zone=bl.example"}, "--rbl-key: no zone has the key {DQS}"},
		{"key without any zone", []string{"--rbl-key=DQS=" + closed}, "--rbl-key: no zone has the key {DQS}"},
		{"key for everyone", []string{"--rbl-key=DQS=" + open, "--rbl-zone={DQS}.zen.dq.spamhaus.net"}, "--rbl-key: every user of this host can read " + open + ": chmod o-r"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			world := policytest.NewWorld()
			world.DNS, world.Lists, _ = listed.Serve(t)
			p, err := policytest.Only(Check).Build(world, tt.flags...)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			var got []string
			for _, r := range p.Remarks() {
				if strings.HasPrefix(r, "--rbl") {
					got = append(got, r)
				}
			}
			if strings.Join(got, "\n") != tt.want {
				t.Errorf("remarks %q, want %q", got, tt.want)
			}
		})
	}
	policytest.Only(Check).WantError(t, "--rbl-monitor-zone and --rbl-untested-zone are about lists", "--rbl-monitor-zone=bl.example")
	policytest.Only(Check).WantError(t, "--rbl-monitor-zone: b1.example is no list of --rbl-zone or --rhsbl-zone, which are bl.example, dbl.example", "--rbl-zone=bl.example", "--rhsbl-zone=dbl.example", "--rbl-monitor-zone=b1.example")
}

// Explain shows a list without a say as one that is monitored, whatever the mode of the check.
func TestRBLExplainsModes(t *testing.T) {
	for name, want := range map[string]string{"bl.example": "monitor", "wl.example": "enforce"} {
		world := policytest.NewWorld()
		world.Explaining = true
		world.DNS, world.Lists, _ = listed.Serve(t)
		p, err := policytest.Only(Check).Build(world, "--rbl-zone=bl.example", "--rbl-zone=wl.example*0", "--rbl-monitor-zone="+name)
		if err != nil {
			t.Fatal(err)
		}
		p.Ready(t.Context())
		var got []string
		for _, f := range policytest.NewHost(t, world, p).Objections(policytest.Letter{}) {
			got = append(got, f.Mode.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s monitored: modes %q, want %q", name, got, want)
		}
	}
}
