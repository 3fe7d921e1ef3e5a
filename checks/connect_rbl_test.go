package checks

import (
	"os"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

// listed knows three lists of addresses, the last of which fails, and one of names. 192.0.2.1 is on bl.example.
var listed = names{
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
func playDNS(t *testing.T, shared []string, list []scenario) {
	t.Helper()
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			world := newWorld()
			world.DNS, world.Lists, _ = listed.serve(t)
			p, err := only(RBL).build(world, append(slices.Clone(shared), c.flags...)...)
			if err != nil {
				t.Fatal(err)
			}
			c.check(t, p)
		})
	}
}

func TestRBL(t *testing.T) {
	const refused = `rcpt 550 5.7.1 bl.example Blocked - see see https://bl.example/?ip=192.0.2.1 (no % or ")`
	bl := []string{"--rbl-zone=bl.example"}
	playDNS(t, bl, []scenario{
		{name: "listed", said: refused, events: "rbl refused", cause: "192.0.2.1: score 1 (bl.example +1 127.0.0.2)"},
		{name: "neighbour", mail: letter{client: "192.0.2.2"}},
		{name: "error code", mail: letter{client: "192.0.2.5"}, events: "rbl could not tell"},
		{name: "error code, deferred", flags: []string{"--rbl-on-error=defer"}, mail: letter{client: "192.0.2.5"}, said: "rcpt 451 4.7.1 Internal resource temporarily unavailable"},
		{name: "each recipient", mail: letter{to: []string{"a@ours.example", "b@ours.example"}}, said: refused + "\n" + refused},
		{name: "allow list", flags: []string{"--rbl-zone=wl.example*-1"}},
		{name: "allow list that weighs less", flags: []string{"--rbl-zone=bl.example*2", "--rbl-zone=wl.example*-1"}, said: refused},
		{name: "threshold", flags: []string{"--rbl-threshold=2"}},
		{name: "the same", flags: []string{"--rbl-zone=bl.example=127.0.0.2"}, said: refused},
		{name: "a list that fails cannot save", flags: []string{"--rbl-zone=ill.example"}, said: refused},
		{name: "monitored list", flags: []string{"--rbl-monitor-zone=bl.example"}, events: "rbl would refuse"},
		{name: "monitored list beside one that has its say", flags: []string{"--rbl-zone=wl.example", "--rbl-monitor-zone=wl.example"}, said: refused, events: "rbl refused", cause: "192.0.2.1: score 1 (bl.example +1 127.0.0.2"},
		{name: "monitored list that fails", flags: []string{"--rbl-zone=ill.example", "--rbl-monitor-zone=ill.example", "--rbl-on-error=defer"}, mail: letter{client: "192.0.2.3"}},
		{name: "monitored list below the threshold", flags: []string{"--rbl-monitor-zone=bl.example", "--rbl-threshold=2"}},
		{name: "monitor", flags: []string{"--rbl=monitor"}, events: "rbl would refuse"},
		{name: "defer", flags: []string{"--rbl=defer"}, said: "rcpt 451 4" + refused[len("rcpt 550 5"):]},
		{name: "trusted", mail: letter{login: "alice"}},
		{name: "trusted net", flags: []string{"--trusted-nets=192.0.2.0/24"}},
		{name: "inbound relay", flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}},
		{name: "permitted client", flags: []string{"--permit-clients=inline:{192.0.2.1=OK}"}},
		{name: "permitted sender, SPF pass", flags: []string{"--permit-senders=inline:{good.example=OK}"}, mail: letter{from: "a@good.example"}},
		{name: "permitted sender, forged", flags: []string{"--permit-senders=inline:{forged.example=OK}"}, mail: letter{from: "a@forged.example"}, said: refused},
		{name: "null sender", flags: []string{"--permit-senders=static:OK"}, mail: letter{from: "<>"}, said: refused},
		{name: "abuse", mail: letter{to: []string{"abuse@ours.example"}}},
		{name: "abuse and another", mail: letter{to: []string{"abuse@ours.example", "a@ours.example"}}, said: refused},
		{name: "unknown client", mail: letter{client: "none"}},
		{name: "filter", flags: []string{"--rbl-threshold=5", "--rbl-zone=bl.example=127.0.0.[2..4]*4"}, said: refused},
		{name: "filter that does not match", flags: []string{"--rbl-threshold=5", "--rbl-zone=bl.example=127.0.0.3*4"}},
		{name: "answered at MAIL", flags: []string{"--answer-at=mail"}, said: "mail" + refused[len("rcpt"):]},
	})
}

func TestRHSBL(t *testing.T) {
	const rcpt, end = "rcpt 550 5.7.1 dbl.example Blocked - see a bad name", "end 550 5.7.1 dbl.example Blocked - see a bad name"
	playDNS(t, []string{"--rhsbl-zone=dbl.example"}, []scenario{
		{name: "sender", mail: letter{from: "a@bad.example"}, said: rcpt, events: "rbl refused"},
		{name: "HELO", mail: letter{helo: "bad.example"}, said: rcpt},
		{name: "host name", mail: letter{name: "bad.example"}, said: rcpt},
		{name: "header From", mail: letter{header: []string{"From: a@else.example, b@bad.example"}}, said: end},
		{name: "neighbour", mail: letter{from: "a@good.example", helo: "[192.0.2.1]", name: "unknown", header: []string{"From: a@else.example"}}},
		{name: "monitored list, sender", flags: []string{"--rbl-monitor-zone=dbl.example"}, mail: letter{from: "a@bad.example"}, events: "rbl would refuse"},
		{name: "monitored list, host name after a good sender", flags: []string{"--rbl-monitor-zone=dbl.example"}, mail: letter{from: "a@good.example", name: "bad.example"}, events: "rbl would refuse", cause: "bad.example: score 0 (dbl.example +1 127.0.0.2 monitored)"},
		{name: "monitored list, header From", flags: []string{"--rbl-monitor-zone=dbl.example"}, mail: letter{header: []string{"From: a@else.example, b@bad.example"}}, events: "rbl would refuse"},
		{name: "monitored list of the other kind", flags: []string{"--rbl-zone=bl.example", "--rbl-monitor-zone=bl.example"}, mail: letter{client: "192.0.2.2", from: "a@bad.example"}, said: rcpt},
	})
}

// A stranger's From field chooses no more than mostDomains questions, and none twice.
func TestHeaderFromQuestions(t *testing.T) {
	world := newWorld()
	var asked func() []string
	world.DNS, world.Lists, asked = listed.serve(t)
	p, err := only(RBL).build(world, "--rhsbl-zone=dbl.example")
	if err != nil {
		t.Fatal(err)
	}
	from := "From: a@d0.example"
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		from += ", x@d0.example, x@" + string(c) + ".example"
	}
	scenario{mail: letter{header: []string{from}}}.check(t, p)
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
		only(RBL).wantError(t, c.words, c.flags...)
	}
}

// A key stands in no error, not even where somebody gives it instead of its file.
func TestKeysStaySecret(t *testing.T) {
	const key = "verysecretkey0123456789"
	for _, flags := range [][]string{
		{"--rbl-zone=bl.example", "--rbl-key=" + key},
		{"--rbl-zone=bl.example", "--rbl-key=NAME=" + file(t, "key", key+" "+key)},
		{"--rbl-zone={OTHER}.bl.example", "--rbl-key=NAME=" + file(t, "key", key)},
	} {
		if _, err := only(RBL).build(newWorld(), flags...); err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%v: %v", flags, err)
		}
	}
}

// What is valid and most likely a slip.
func TestRBLRemarks(t *testing.T) {
	open, closed := file(t, "open", "secretkey"), file(t, "closed", "secretkey")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		flags []string
		want  string
	}{
		{"nothing", []string{"--rbl-zone=bl.example"}, ""},
		{"threshold", []string{"--rbl-zone=bl.example*2", "--rbl-zone=wl.example*-3", "--rbl-threshold=3"}, "--rbl-threshold=3 is out of reach: all lists of --rbl-zone together weigh 2"},
		{"threshold in reach", []string{"--rbl-zone=bl.example*2,x.example", "--rbl-threshold=3"}, ""},
		{"threshold in reach with a monitored list", []string{"--rbl-zone=bl.example*2,x.example", "--rbl-monitor-zone=x.example", "--rbl-threshold=3"}, ""},
		{"threshold for names", []string{"--rbl-zone=bl.example*3", "--rhsbl-zone=dbl.example", "--rbl-threshold=3"}, "--rbl-threshold=3 is out of reach: all lists of --rhsbl-zone together weigh 1"},
		{"key in use", []string{"--rbl-key=DQS=" + closed, "--rbl-zone={DQS}.zen.dq.spamhaus.net"}, ""},
		{"key not in use", []string{"--rbl-key=DQS=" + closed, "--rbl-zone=bl.example"}, "--rbl-key: no zone has the key {DQS}"},
		{"key without any zone", []string{"--rbl-key=DQS=" + closed}, "--rbl-key: no zone has the key {DQS}"},
		{"key for everyone", []string{"--rbl-key=DQS=" + open, "--rbl-zone={DQS}.zen.dq.spamhaus.net"}, "--rbl-key: every user of this host can read " + open + ": chmod o-r"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			world := newWorld()
			world.DNS, world.Lists, _ = listed.serve(t)
			p, err := only(RBL).build(world, tt.flags...)
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
	only(RBL).wantError(t, "--rbl-monitor-zone and --rbl-untested-zone are about lists", "--rbl-monitor-zone=bl.example")
	only(RBL).wantError(t, "--rbl-monitor-zone: b1.example is no list of --rbl-zone or --rhsbl-zone, which are bl.example, dbl.example", "--rbl-zone=bl.example", "--rhsbl-zone=dbl.example", "--rbl-monitor-zone=b1.example")
}

// Explain shows a list without a say as one that is monitored, whatever the mode of the check.
func TestRBLExplainsModes(t *testing.T) {
	for name, want := range map[string]string{"bl.example": "monitor", "wl.example": "enforce"} {
		world := newWorld()
		world.Explaining = true
		world.DNS, world.Lists, _ = listed.serve(t)
		p, err := only(RBL).build(world, "--rbl-zone=bl.example", "--rbl-zone=wl.example*0", "--rbl-monitor-zone="+name)
		if err != nil {
			t.Fatal(err)
		}
		p.Ready(t.Context())
		runner := policy.NewRunner(p, onlooker{}, policy.DefaultLimits)
		var got []string
		s := runner.NewExplainer(func(w policy.Word) {
			if w.Check == "rbl" && w.Says == policy.SaysObjects {
				got = append(got, w.Mode.String())
			}
		})
		letter{}.send(s)
		s.Close()
		runner.Close()
		if strings.Join(got, " ") != want {
			t.Errorf("%s monitored: modes %q, want %q", name, got, want)
		}
	}
}
