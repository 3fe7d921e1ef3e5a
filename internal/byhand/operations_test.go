package byhand

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// desk carries operations out as a command does.
type desk struct {
	t     *testing.T
	b     *policy.Backends
	c     *clock
	known policy.Known
	life  time.Duration
	audit []policy.Alteration
}

func newDesk(t *testing.T) *desk {
	b, c := newBackends()
	modes := map[string]policy.Mode{"senders": policy.Enforce, "clients": policy.Monitor, "rbl": policy.Enforce, "spam": policy.Monitor}
	reply := []*policy.Reply{{}}
	return &desk{t: t, b: b, c: c, known: policy.Known{
		Checks: []*policy.Check{{Name: "rbl", Replies: reply}, {Name: "spam", Replies: reply}, {Name: "auto-allow"}, {Name: "senders", Measures: offers("{sender}")}, {Name: "clients", Measures: offers("{client}")}},
		Mode:   func(check string) policy.Mode { return modes[check] },
		Local:  func(_ context.Context, domain string) (bool, bool, error) { return domain == "ours.example", true, nil },
		Ours: func(_ context.Context, net netip.Prefix) string {
			if net.Overlaps(netip.MustParsePrefix("127.0.0.0/8")) {
				return "it is in --trusted-nets"
			}
			return ""
		},
		Mail: func(_ context.Context, c policy.MailCase) (policy.MailCount, error) {
			if c.Sender == "@busy.example" || c.Client == netip.MustParsePrefix("192.0.2.0/24") {
				return policy.MailCount{Messages: 400, Accepted: 312, More: true}, nil
			}
			return policy.MailCount{Messages: 30, Accepted: 2}, nil
		},
	}}
}

func offers(word string) []policy.Lift {
	return []policy.Lift{{Operation: "block/add", Words: []string{word}}}
}

// do carries GROUP VERB WORDS out, and returns what the command prints.
func (d *desk) do(words ...string) (string, error) {
	d.t.Helper()
	for _, g := range []policy.OperationGroup{ListOperations(Block), ListOperations(Permit), MonitorOperations()} {
		for _, op := range g.Operations {
			if g.Name == words[0] && op.Name == words[1] {
				return d.run(op, words[2:])
			}
		}
	}
	d.t.Fatalf("there is no operation %q", words)
	return "", nil
}

func (d *desk) run(op policy.Operation, words []string) (string, error) {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	read := op.Request(policy.NewFlags(set, ""))
	if err := set.Parse(words); err != nil {
		return "", err
	}
	request, err := read(set.Args())
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(request)
	if err != nil {
		return "", err
	}
	call := d.c.call(d.b, d.life)
	call.Known = d.known
	answer, err := op.Run(d.t.Context(), call, body)
	d.audit = call.Alterations()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = op.Show(&out, text)
	return out.String(), err
}

func TestListOperations(t *testing.T) {
	d := newDesk(t)
	for _, tt := range []struct {
		words string
		says  string // of what is printed
		wrong string
		audit string
	}{
		{words: "block add spammer@spam.example", audit: "spammer@spam.example:  → blocked permanently"},
		{words: "block add spam.example 198.51.100.7", says: "note: check clients only monitors, so this refuses nothing yet: mailweir enforce clients\n", audit: "spam.example:  → blocked permanently; 198.51.100.7:  → blocked permanently"},
		{words: "block add spam.example spam.example", audit: "spam.example: blocked by root (uid 0) on 2026-11-23 12:00:00: why → blocked permanently"},
		{words: "block add ours.example", wrong: "ours.example: ours.example is one of our own domains (--local-domains), and a block stops the mail of its users, too; with --yes"},
		{words: "block add bob@ours.example", wrong: "one of our own domains"},
		{words: "block add gmail.com", wrong: "gmail.com: anybody can have an address there; with --yes"},
		{words: "block add busy.example", wrong: "busy.example: 312 or more messages from there were accepted in the last 24 hours; with --yes"},
		{words: "block add 192.0.2.0/24", wrong: "312 or more messages"},
		{words: "block add .top", wrong: "a whole top-level domain"},
		{words: "block add 10.0.0.0/8", wrong: "the net is wider than a /16"},
		{words: "block add 2001:db0::/27", wrong: "bits beyond"},
		{words: "block add 2001:db8::/31", wrong: "the net is wider than a /32"},
		{words: "block add 127.0.0.0/8", wrong: "it is in --trusted-nets, and the net is wider than a /16"},
		{words: "block add --yes gmail.com", audit: "gmail.com:  → blocked permanently"},
		{words: "block add a@gmail.com", audit: "a@gmail.com:  → blocked permanently"},
		{words: "permit add ours.example", audit: "ours.example:  → permitted permanently"},
		{words: "permit add spam.example", says: "note: spam.example is blocked, too, and that counts: mailweir block rm spam.example\n", audit: "spam.example:  → permitted permanently"},
		{words: "block rm spam.example", audit: "spam.example: blocked by root (uid 0) on 2026-11-23 12:00:00: why → "},
		{words: "block rm spam.example", wrong: "nothing to delete: spam.example is not blocked here; see mailweir block list"},
		{words: "permit rm else.example", wrong: "nothing to delete: else.example is not permitted here; see mailweir permit list"},
		{words: "block add", wrong: "give addresses, domains or nets"},
		{words: "block add *@spam.example", wrong: "write spam.example"},
		{words: "block list", says: "198.51.100.7"},
		{words: "permit list", says: "spam.example"},
	} {
		says, err := d.do(strings.Fields(tt.words)...)
		switch {
		case tt.wrong != "":
			var wrong *policy.WrongError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s: %v, want %q", tt.words, err, tt.wrong)
			}
			continue
		case err != nil || !strings.Contains(says, tt.says) || tt.says == "" && says != "":
			t.Errorf("%s: %q, %v, want %q", tt.words, says, err, tt.says)
		}
		if got := told(d.audit); got != tt.audit {
			t.Errorf("%s: audit %q, want %q", tt.words, got, tt.audit)
		}
	}
	d.known = policy.Known{Forgets: true}
	if says, err := d.do("block", "add", "forgotten.example"); err != nil || !strings.Contains(says, "ends with the daemon") {
		t.Errorf("a state in memory: %q, %v", says, err)
	}
}

func told(list []policy.Alteration) string {
	var texts []string
	for _, a := range list {
		texts = append(texts, a.What+": "+a.Before+" → "+a.After)
	}
	return strings.Join(texts, "; ")
}

// A list is bounded, and says so.
func TestListIsBounded(t *testing.T) {
	d := newDesk(t)
	d.b.State = state.NewMemory(d.c.time, 2*most)
	steps := make([]state.Step, 0, 1000)
	for i := range most {
		net := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
		steps = append(steps, state.Put(Block.key(Subject{Clients: net}), nil, 0))
		if len(steps) == cap(steps) || i == most-1 {
			if _, err := d.b.State.Do(t.Context(), steps...); err != nil {
				t.Fatal(err)
			}
			steps = steps[:0]
		}
	}
	if _, err := d.do("block", "add", "spam.example"); err == nil || !strings.Contains(err.Error(), "write longer lists into a file") {
		t.Errorf("one too many: %v", err)
	}
	if _, err := d.do("block", "rm", "198.0.0.1"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.do("block", "add", "spam.example"); err != nil {
		t.Errorf("there is room again: %v", err)
	}
}

func TestUndo(t *testing.T) {
	for _, op := range ListOperations(Block).Operations {
		if op.Name == "add" {
			if got := op.Undo([]string{"--yes", "gmail.com"}); !slices.Equal(got, []string{"rm", "gmail.com"}) {
				t.Errorf("%q", got)
			}
		}
	}
}

func TestMonitorOperations(t *testing.T) {
	d := newDesk(t)
	m := NewMonitored(d.b)
	now := func() string {
		var names []string
		for check := range m.Now(t.Context()) {
			names = append(names, check)
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	for _, tt := range []struct {
		words string
		life  time.Duration
		after time.Duration
		says  string
		wrong string
		audit string
		now   string
	}{
		{words: "monitor start rbl", life: time.Hour, audit: "check rbl:  → monitored for 1h", now: "rbl"},
		{words: "monitor start spam rbl", life: 2 * time.Hour, says: "note: check spam is in mode monitor anyway; this counts once it is enforced\n", audit: "check rbl: monitored by root (uid 0) on 2026-11-23 12:00:00: why → monitored for 2h; check spam:  → monitored for 2h", now: "rbl spam"},
		{words: "monitor start --all", says: "note: without --for this lasts until mailweir monitor end --all\n", audit: "all checks:  → monitored permanently", now: "* rbl spam"},
		{words: "monitor end spam", says: "note: all checks are still monitored: mailweir monitor end --all\n", audit: "check spam: monitored by root (uid 0) on 2026-11-23 12:00:00: why → ", now: "* rbl"},
		{words: "monitor list", says: "all", now: "* rbl"},
		{words: "monitor end --all", says: "note: still monitored by orders of their own: mailweir monitor end rbl\n", audit: "all checks: monitored by root (uid 0) on 2026-11-23 12:00:00: why → ", now: "rbl"},
		{words: "monitor end --all", wrong: "nothing to end: nobody has ordered that of all checks", now: "rbl"},
		{words: "monitor list", after: 2 * time.Hour, says: "CHECK", now: ""},
		{words: "monitor start", wrong: "name one check or more, or --all"},
		{words: "monitor start --all rbl", wrong: "either checks or --all"},
		{words: "monitor start rlb", wrong: `there is no check "rlb"; there are rbl, spam`},
		{words: "monitor start auto-allow", wrong: "check auto-allow refuses nothing"},
	} {
		d.life = tt.life
		d.c.now = d.c.now.Add(tt.after)
		says, err := d.do(strings.Fields(tt.words)...)
		switch {
		case tt.wrong != "":
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s: %v, want %q", tt.words, err, tt.wrong)
			}
		case err != nil || !strings.Contains(says, tt.says) || tt.says == "" && says != "":
			t.Errorf("%s: %q, %v, want %q", tt.words, says, err, tt.says)
		}
		if got := told(d.audit); tt.wrong == "" && got != tt.audit {
			t.Errorf("%s: audit %q, want %q", tt.words, got, tt.audit)
		}
		if got := now(); got != tt.now {
			t.Errorf("%s: now %q, want %q", tt.words, got, tt.now)
		}
	}
}

func TestOrders(t *testing.T) {
	by := entry.Origin{By: "root", At: noon, Note: "a bad night"}
	orders := Orders{"rbl": {Check: "rbl", Origin: by, Until: noon.Add(time.Hour)}, All: {Check: All, Origin: entry.Origin{By: "anna", UID: -1, At: noon}}}
	for check, want := range map[string]string{
		"rbl":  "monitored by root (uid 0) since 2026-11-23 12:00:00 until 2026-11-23 13:00:00: a bad night",
		"spam": "monitored by anna since 2026-11-23 12:00:00",
	} {
		if got, ok := orders.Of(check); !ok || got.String() != want {
			t.Errorf("%s: %s, want %s", check, got, want)
		}
	}
	if _, ok := (Orders{"rbl": {}}).Of("spam"); ok {
		t.Error("spam is monitored without an order")
	}
	if got := (&Monitored{}).Now(t.Context()); got != nil {
		t.Errorf("recorded mail: %v", got)
	}
}
