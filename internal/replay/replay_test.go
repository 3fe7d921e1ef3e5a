package replay

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mailweir/internal/policytest"
	"mailweir/internal/record"
	"mailweir/internal/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ours = "--local-domains=inline:{ours.example=x}"

// Under another policy just that changes which it is about, and what cannot be told is said.
func TestChangedPolicy(t *testing.T) {
	listed := names{reversed("192.0.2.2", "bl.example"): "127.0.0.2", "TXT spf.example": `"v=spf1 ip4:192.0.2.2 -all"`}
	subject := []string{"From: a@else.example", "Subject: hello"}
	for name, c := range map[string]struct {
		then, now []string
		letters   []policytest.Letter
		want      []string // but for what is unchanged
	}{
		"a check is enforced": {
			[]string{"--rbl-zone=bl.example", "--rbl=monitor"},
			[]string{"--rbl-zone=bl.example"},
			[]policytest.Letter{{Client: "192.0.2.2"}, {Client: "192.0.2.1"}},
			[]string{"newly_refused user@ours.example: accepted → refused rbl"},
		},
		"a check is only monitored": {
			[]string{"--rbl-zone=bl.example"},
			[]string{"--rbl-zone=bl.example", "--rbl=monitor"},
			[]policytest.Letter{{Client: "192.0.2.2"}, {Client: "192.0.2.1"}},
			[]string{"newly_accepted user@ours.example: refused rbl → accepted"},
		},
		"a list that was not asked then": {
			[]string{"--rbl-zone=bl.example"},
			[]string{"--rbl-zone=bl.example", "--rbl-zone=other.example"},
			[]policytest.Letter{{Client: "192.0.2.2"}, {Client: "192.0.2.1"}},
			[]string{"cannot_tell user@ours.example: accepted → accepted rbl (dns lists: list other.example: not asked then)"},
		},
		"a list in memory": {
			[]string{"--sender-block-list=inline:{a@else.example=REJECT}", "--managed=off", "--greylist=off"},
			[]string{"--sender-block-list=inline:{b@else.example=REJECT}", "--managed=off", "--greylist=off"},
			[]policytest.Letter{{From: "a@else.example"}, {From: "b@else.example"}, {From: "c@else.example"}},
			[]string{
				"newly_accepted user@ours.example: refused sender-block → accepted",
				"newly_refused user@ours.example: accepted → refused sender-block",
			},
		},
		"one recipient of two": {
			[]string{},
			[]string{"--rcpt-limit=enforce", "--rcpt-limit-max=1"},
			[]policytest.Letter{{To: []string{"a@ours.example", "b@ours.example"}}},
			[]string{"newly_refused b@ours.example: accepted → deferred rcpt-limit"},
		},
		"a permit that SPF vouches for": {
			[]string{"--rbl-zone=bl.example", "--greylist=off"},
			[]string{"--rbl-zone=bl.example", "--greylist=off", "--permit-senders=inline:{spf.example=OK}"},
			[]policytest.Letter{{Client: "192.0.2.2", From: "a@spf.example"}},
			[]string{"cannot_tell user@ours.example: refused rbl → accepted rbl (spf 192.0.2.2 a@spf.example: not asked then)"},
		},
		"a shorter delay": {
			[]string{"--greylist=enforce", "--greylist-delay=30m"},
			[]string{"--greylist=enforce", "--greylist-delay=1m"},
			[]policytest.Letter{{}, {}},
			[]string{"newly_accepted user@ours.example: deferred greylist → accepted"},
		},
		"the code of a reply": {
			[]string{"--client-block-list=inline:{192.0.2.1=REJECT}"},
			[]string{"--client-block-list=inline:{192.0.2.1=REJECT}", "--client-block-code=554"},
			[]policytest.Letter{{}},
			[]string{"changed_reply : deferred client-block → refused client-block"},
		},
		"size and hops": {
			[]string{},
			[]string{"--size-max=100", "--hops-max=2"},
			[]policytest.Letter{{Body: strings.Repeat("x", 200)}, {Header: []string{"Received: a", "Received: b"}}, {Size: 500}},
			[]string{
				"newly_refused user@ours.example: accepted → refused size",
				"newly_refused user@ours.example: accepted → refused hops",
				"newly_refused user@ours.example: accepted → refused size",
			},
		},
		"a body that is not kept": {
			[]string{},
			[]string{"--content-definition=" + policytest.File(t, "bad.conf", definition)},
			[]policytest.Letter{{Header: subject}},
			[]string{"cannot_tell user@ours.example: accepted → accepted content (no body is kept: not asked then)"},
		},
		"header From": {
			[]string{},
			[]string{"--header-from-list=inline:{a@else.example=REJECT}"},
			[]policytest.Letter{{Header: subject}},
			[]string{"newly_refused user@ours.example: accepted → refused header-from"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t, listed, append([]string{ours}, c.then...)...)
			for _, l := range c.letters {
				r.send(l)
				r.clock.Move(5 * time.Minute)
			}
			sums, all := r.stored(t, append([]string{ours}, c.now...)...)
			var got []string
			for _, one := range all {
				if one.Kind != Unchanged {
					got = append(got, lineOf(one))
				}
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s\nwant %s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if sums.Decisions != len(all) || sums.Messages != len(c.letters) {
				t.Errorf("%+v", sums)
			}
		})
	}
}

const definition = "!activation 1\n1 lottery\n"

// A check that cannot judge again repeats what it said, if nothing about it has changed.
func TestUnchangedCheckRepeats(t *testing.T) {
	file := policytest.File(t, "bad.conf", definition)
	then := []string{ours, "--content-definition=" + file}
	r := newRecorder(t, nil, then...)
	r.send(policytest.Letter{Body: "lottery"})
	r.send(policytest.Letter{Body: "hello"})
	r.host.Close()
	for name, c := range map[string]struct {
		flags []string
		want  string
	}{
		"the same":   {then, "unchanged unchanged"},
		"monitored":  {append(slices.Clone(then), "--content=monitor"), "newly_accepted unchanged"},
		"other ones": {[]string{ours, "--content-definition=" + policytest.File(t, "other.conf", "!activation 1\n1 casino\n")}, "cannot_tell cannot_tell"},
		"off":        {[]string{ours}, "newly_accepted unchanged"},
	} {
		t.Run(name, func(t *testing.T) {
			_, all := replayed(t, inMemory{r.entries, r.changes}, c.flags...)
			var kinds []string
			for _, one := range all {
				kinds = append(kinds, string(one.Kind))
			}
			if got := strings.Join(kinds, " "); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	_, all := replayed(t, inMemory{entries: r.entries}, then...)
	if all[0].Kind != CannotTell {
		t.Errorf("without a known policy: %s", lineOf(all[0]))
	}
}

// Where the record keeps no header From, nothing is said about it.
func TestWithoutFrom(t *testing.T) {
	r := newRecorder(t, nil, ours)
	r.send(policytest.Letter{Header: []string{"From: a@else.example"}})
	r.host.Close()
	for _, e := range r.entries {
		if e.Message != nil {
			e.Message.From = ""
		}
	}
	_, all := replayed(t, inMemory{r.entries, r.changes}, ours, "--header-from-list=inline:{a@else.example=REJECT}")
	if got, want := lineOf(all[0]), "cannot_tell user@ours.example: accepted → accepted header-from (header From: not kept: not asked then)"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// Where bounds have left out a part of what was asked, nothing is taken for not having been there:
// an entry that somebody made by hand may have acted. Who judges as then says what he said then.
func TestLeftOut(t *testing.T) {
	r := newRecorder(t, nil, ours)
	r.send(policytest.Letter{})
	r.host.Close()
	for leftOut, want := range map[int]string{
		0: "account (not asked then), load (not asked then), managed (state: managed: not asked then)",
		3: "account (not asked then), client-block (block: left out of the record, or not asked then), load (not asked then), " +
			"managed (state: managed: left out of the record, or not asked then), sender-block (block: left out of the record, or not asked then)",
	} {
		for _, e := range r.entries {
			if e.Message != nil {
				e.Message.State, e.Message.LeftOut = nil, leftOut
			}
		}
		sums, all := replayed(t, inMemory{entries: r.entries}, ours)
		if got := lineOf(all[0]); got != "cannot_tell user@ours.example: accepted → accepted "+want || (sums.LeftOut > 0) != (leftOut > 0) {
			t.Errorf("%d left out: %s\nwant %s", leftOut, got, want)
		}
		if _, all := replayed(t, inMemory{r.entries, r.changes}, ours); all[0].Kind != Unchanged {
			t.Errorf("%d left out, the same policy: %s", leftOut, lineOf(all[0]))
		}
	}
}

// Nor is a permit of less than was blocked taken for one that failed then.
func TestBlockedAndLeftOut(t *testing.T) {
	for check, key := range map[string]string{
		"client-block": state.Key("block", "client", "192.0.2.0/24"),
		"sender-block": state.Key("block", "sender", "else.example"),
	} {
		t.Run(check, func(t *testing.T) {
			flags := []string{ours, "--client-block-code=554"}
			r := newRecorder(t, nil, flags...)
			entered := state.Put(key, []byte(`{"by":"root","at":"2026-11-23T11:00:00Z"}`), 0).Entered()
			if _, err := r.world.State.Do(t.Context(), entered); err != nil {
				t.Fatal(err)
			}
			r.send(policytest.Letter{From: "a@else.example"})
			r.host.Close()
			for _, e := range r.entries {
				if e.Message != nil {
					e.Message.LeftOut = 3
				}
			}
			if _, all := replayed(t, inMemory{r.entries, r.changes}, flags...); all[0].Kind != Unchanged {
				t.Errorf("the same policy: %s", lineOf(all[0]))
			}
			if _, all := replayed(t, inMemory{entries: r.entries}, flags...); all[0].Kind != CannotTell || !strings.Contains(lineOf(all[0]), check+" (") {
				t.Errorf("a policy that is not known: %s", lineOf(all[0]))
			}
		})
	}
}

func TestVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		kinds map[Kind]int
		want  int
	}{
		"nothing":        {nil, 2},
		"unchanged":      {map[Kind]int{Unchanged: 3}, 0},
		"one changes":    {map[Kind]int{Unchanged: 3, Refused: 1}, 1},
		"another reply":  {map[Kind]int{Changed: 1}, 1},
		"half unknown":   {map[Kind]int{Unchanged: 2, CannotTell: 2}, 0},
		"mostly unknown": {map[Kind]int{Unchanged: 1, Accepted: 1, CannotTell: 3}, 2},
	} {
		s := newSums()
		for kind, n := range c.kinds {
			s.Kinds[kind] = n
			s.Decisions += n
		}
		if got := s.Verdict(); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestPrint(t *testing.T) {
	r := newRecorder(t, names{reversed("192.0.2.2", "bl.example"): "127.0.0.2"}, ours, "--rbl-zone=bl.example", "--rbl=monitor")
	r.send(policytest.Letter{Client: "192.0.2.2"})
	r.send(policytest.Letter{})
	sums, all := r.replay(t, ours, "--rbl-zone=bl.example")
	all[0].Sender = "\x1b[31m@else.example"
	var text, asJSON strings.Builder
	for _, p := range []*Printer{NewPrinter(&text, false), NewPrinter(&asJSON, true)} {
		if err := p.Result(all[0]); err != nil {
			t.Fatal(err)
		}
		if err := p.Sums(sums); err != nil {
			t.Fatal(err)
		}
	}
	want := `2026-11-23T12:00:00Z  -  newly refused  192.0.2.2  <\u001b[31m@else.example> → <user@ours.example>
    then: accepted
    now:  refused by rbl: 550 5.7.1 bl.example Blocked - see bl.example (192.0.2.2: score 1 (bl.example +1 127.0.0.2))
2 decisions about 2 messages, from 2026-11-23 12:00:00Z to 2026-11-23 12:00:00Z
  unchanged       1
  newly refused   1  rbl 1
  newly accepted  0
  changed reply   0
  cannot tell     0
`
	got := strings.ReplaceAll(strings.ReplaceAll(text.String(), "1  \n", "1\n"), "0  \n", "0\n")
	if got != want {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
	lines := strings.Split(strings.TrimSpace(asJSON.String()), "\n")
	var last struct {
		Sums Sums `json:"sums"`
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Sums.Kinds[Refused] != 1 || len(lines) != 2 {
		t.Errorf("%v: %s", err, asJSON.String())
	}
}

// The record is read a page at a time, and each message once.
func TestPages(t *testing.T) {
	r := newRecorder(t, nil, ours)
	r.send(policytest.Letter{})
	one := r.entries[len(r.entries)-1].Message
	for i := range 2*pageSize + 10 {
		again := *one
		again.Session = fmt.Sprint("S", i)
		r.entries = append(r.entries, record.Entry{Message: &again})
	}
	sums, all := r.stored(t, ours)
	if want := 2*pageSize + 11; sums.Messages != want || len(all) != want || sums.Kinds[Unchanged] != want {
		t.Errorf("%+v, want %d", sums, want)
	}
}

func letterOf(client string) policytest.Letter {
	return policytest.Letter{Client: client, Helo: "helo.example", To: []string{"a@ours.example"}, Header: []string{"From: a@else.example", "Subject: hello"}}
}
