package main

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"mailweir/checks"
	"mailweir/internal/admin"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/record"
	"mailweir/internal/record/why"
	"mailweir/internal/state"
)

// nothing is a record that has nothing.
type nothing struct{ record.Reader }

func (nothing) Search(context.Context, record.Query) (record.Page, error) { return record.Page{}, nil }

func tellerOf(tables map[string][]string) *why.Teller {
	return &why.Teller{Reader: nothing{}, Registry: checks.Registry(), Clock: time.Now, Tables: func(flag string) []string { return tables[flag] }}
}

// Every reply says what lifts it, or honestly that nothing does, and what to tell the sender. What
// it names is there: operations take their words, tables and settings are flags.
func TestEveryReplyIsLifted(t *testing.T) {
	flags := pflag.NewFlagSet("mailweir", pflag.ContinueOnError)
	_, draft := register(flags)
	operations := map[string]policy.Operation{}
	for _, g := range slices.Concat(ownOperations(ownParts{}), draft.Operations()) {
		for _, op := range g.Operations {
			operations[admin.Path(g, op)] = op
		}
	}
	checks.Registry().Replies(func(c *policy.Check, r *policy.Reply) bool {
		if r.Advice == "" {
			t.Errorf("%s has no advice for the sender", r.ID)
		}
		for _, l := range r.Lifts {
			if strings.HasPrefix(l.Table, "permit-") {
				t.Errorf("%s: permits follow from what the check is exempt from, not from a lift", r.ID)
			}
			if l.Says == "" {
				t.Errorf("%s has a lift that says nothing", r.ID)
			}
		}
		for _, cause := range causesOf(r) {
			told, err := tellerOf(nil).Of(t.Context(), refusalOf(c, r, cause))
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Lifts) == 0 && c.Exempt&(policy.ExemptRecipientPermit|policy.ExemptPermitClient) == 0 {
				t.Errorf("%s: neither a lift nor a permit", r.ID)
			}
			if len(told.ForSender) != 2 || strings.ContainsAny(strings.Join(told.ForSender, ""), "{}") {
				t.Errorf("%s: for the sender %q", r.ID, told.ForSender)
			}
			for _, w := range told.Ways {
				checkWay(t, r.ID, w, operations, flags)
			}
		}
		return true
	})
}

// causesOf are causes under which each lift of a reply applies.
func causesOf(r *policy.Reply) []string {
	causes := []string{"because"}
	for _, known := range []string{
		`outbound of "bob" is off until 12:00, by root`, `inbound of "example.org" is off until 12:00, by root`, `"bob" matches /etc/mailweir/accounts:3`,
		`"bob@example.org" blocks "example.net": /etc/mailweir/managed:4`, `"bob@example.org": next server: 550 5.1.1`, "score 50, deferred from 40", `"example.net" is blocked permanently, by root on 2026-11-23 12:00:00`, "clamd says no; --virus-encrypted=reject",
		`"Alice Smith" in header From is alice.smith of /etc/mailweir/people:3, and stands over "alice@example.net"`, "the client is on the temporary block list",
	} {
		for _, l := range r.Lifts {
			if l.Cause != nil && l.Cause.MatchString(known) {
				causes = append(causes, known)
			}
		}
	}
	return causes
}

func refusalOf(c *policy.Check, r *policy.Reply, cause string) *policy.Event {
	e := &policy.Event{
		ID: "mw-00000000", Check: c.Name, Mode: policy.Enforce, Stage: policy.StageRcpt, Reply: r.ID, Line: policy.Object(r, "a", "b").Line(r, policy.Enforce), Cause: cause,
		Client: netip.MustParseAddr("192.0.2.1"), Sender: "alice@example.net", HasSender: true, Recipients: []string{"bob@example.org"}, Count: 1, Login: "bob", From: "Alice <alice@example.net>",
	}
	if e.Action = policy.ActionRefused; e.Line.Code() < 500 {
		e.Action = policy.ActionDeferred
	}
	return e
}

func checkWay(t *testing.T, id string, w why.Way, operations map[string]policy.Operation, flags *pflag.FlagSet) {
	t.Helper()
	if w.Says == "" || strings.ContainsAny(w.Says+w.Command, "{}") {
		t.Errorf("%s: way %+v", id, w)
	}
	for _, flag := range []string{w.Table, strings.Split(w.Setting, "=")[0]} {
		if flag != "" && flags.Lookup(flag) == nil {
			t.Errorf("%s: there is no flag --%s", id, flag)
		}
	}
	if w.Operation == "" {
		return
	}
	op, known := operations[w.Operation]
	if !known {
		t.Errorf("%s: there is no operation %s", id, w.Operation)
		return
	}
	if _, err := requestOf(op, w.Words); err != nil {
		t.Errorf("%s: %s: %v", id, w.Command, err)
	}
	if !strings.HasPrefix(w.Command, "mailweir "+strings.Replace(w.Operation, "/", " ", 1)) {
		t.Errorf("%s: command %q", id, w.Command)
	}
}

// requestOf is what a command makes of its words.
func requestOf(op policy.Operation, words []string) (any, error) {
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	read := op.Request(policy.NewFlags(set, ""))
	if err := set.Parse(words); err != nil {
		return nil, err
	}
	return read(set.Args())
}

// TestLiftsLift plays what a check refuses, does what why says, and plays it again: it passes
// that check.
func TestLiftsLift(t *testing.T) {
	spf := policytest.Names{"sender.example TXT": "v=spf1 ip4:192.0.2.1 -all", "1.2.0.192.bl.example A": "127.0.0.2", "2.0.0.127.bl.example A": "127.0.0.2"}
	letter := policytest.Letter{Client: "192.0.2.1", From: "alice@sender.example", To: []string{"bob@ours.example"}, Header: []string{"From: alice@sender.example", "Message-ID: <1@sender.example>"}}
	manage := func(h *liftHost) {
		h.operate("managed/add", "--user=bob@ours.example", "--block=sender.example")
	}
	for _, c := range []struct {
		name   string
		flags  []string
		before func(*liftHost)
		change func(*policytest.Letter)
		way    string // its operation or table
		words  string // of the operation; "" is any
		later  bool   // it is not the first one
	}{
		{name: "greylist", flags: []string{"--greylist=enforce", "--greylist-skip-spf=off"}, way: "greylist/pass"},
		{name: "greylist, null sender", flags: []string{"--greylist=enforce"}, change: func(l *policytest.Letter) { l.From = "<>" }, way: "greylist/pass"},
		{name: "client-block", flags: []string{"--client-block-list=inline:{192.0.2=REJECT}"}, way: "client-block-list"},
		{name: "sender-block", flags: []string{"--sender-block-list=inline:{sender.example=REJECT}"}, way: "sender-block-list"},
		{name: "envelope-from", flags: []string{"--envelope-from-list=inline:{sender.example=REJECT}"}, way: "envelope-from-list"},
		{name: "header-from", flags: []string{"--header-from-list=inline:{sender.example=REJECT}"}, way: "header-from-list"},
		{name: "managed domain", before: manage, way: "managed/add"},
		{name: "managed header", before: manage, change: func(l *policytest.Letter) { l.From = "bounces@else.example" }, way: "managed/add"},
		{name: "tempblock", flags: []string{"--tempblock=enforce"}, before: func(h *liftHost) { h.operate("tempblock/add", "192.0.2.1") }, way: "tempblock/rm"},
		{name: "account", before: func(h *liftHost) { h.operate("account/off", "--inbound=ours.example") }, way: "account/on"},
		{name: "recipient", flags: []string{"--recipient-access=inline:{bob@ours.example=REJECT}"}, way: "recipient-access"},
		{name: "open-relay", change: func(l *policytest.Letter) { l.To = []string{"x@else.example"} }, way: "open-relay-clients"},
		{name: "lockout", flags: []string{"--lockout=enforce"}, change: func(l *policytest.Letter) { l.From = "carol@ours.example" }, way: "lockout-clients"},
		{name: "require-auth", change: func(l *policytest.Letter) { l.Door = "587" }, way: "require-auth-exempt"},
		{name: "rbl, by client", flags: []string{"--rbl-zone=bl.example"}, way: "permit/add"},
		{name: "rbl, vouched", flags: []string{"--rbl-zone=bl.example"}, way: "managed/add", later: true},
		{name: "rbl, vouched, for all", flags: []string{"--rbl-zone=bl.example"}, way: "permit/add", words: "alice@sender.example", later: true},
		{name: "blocked client", before: func(h *liftHost) { h.operate("block/add", "192.0.2.0/24") }, way: "block/rm"},
		{name: "blocked sender", before: func(h *liftHost) { h.operate("block/add", "sender.example") }, way: "block/rm"},
		{name: "blocked sender, but this one", before: func(h *liftHost) { h.operate("block/add", "sender.example") }, way: "permit/add", words: "alice@sender.example", later: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newLiftHost(t, spf, c.flags)
			if c.before != nil {
				c.before(h)
			}
			one := letter
			if c.change != nil {
				c.change(&one)
			}
			refusal := h.refusal(one)
			told, err := h.teller().Of(t.Context(), refusal)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(told.Ways, func(w why.Way) bool {
				return w.Operation+w.Table == c.way && (c.words == "" || strings.Join(w.Words, " ") == c.words)
			})
			if i < 0 || i > 0 != c.later {
				t.Fatalf("%s: the ways are %+v, want %s", refusal.Cause, told.Ways, c.way)
			}
			way := told.Ways[i]
			h.do(way)
			if again := h.refusalBy(refusal.Check, one); again != nil {
				t.Errorf("%s %s does not lift it: %s %s", way.Command, way.Entry, again.Line, again.Cause)
			}
		})
	}
}

// liftHost is a host whose policy can be built again on the same state with a table more.
type liftHost struct {
	t     *testing.T
	names policytest.Names
	flags []string
	store state.Store
	rig   policytest.Rig
}

func newLiftHost(t *testing.T, names policytest.Names, flags []string) *liftHost {
	rig := policytest.Rig{Registry: checks.Registry(), Flags: []string{"--greylist=off"}}
	return &liftHost{t: t, names: names, flags: flags, store: state.NewMemory(time.Now, 100_000), rig: rig}
}

func (h *liftHost) host() *policytest.Host {
	world := policytest.NewWorld()
	world.Clock, world.State = time.Now, h.store
	world.DNS, world.Lists, _ = h.names.Serve(h.t)
	p, err := h.rig.Build(world, h.flags...)
	if err != nil {
		h.t.Fatal(err)
	}
	p.Ready(h.t.Context())
	return policytest.NewHost(h.t, world, p)
}

func (h *liftHost) teller() *why.Teller { return tellerOf(nil) }

// refusal is the decision against a letter.
func (h *liftHost) refusal(l policytest.Letter) *policy.Event {
	for _, e := range h.host().Send(l).Events {
		if e.Action.Answers() && e.Action != policy.ActionWould {
			return e
		}
	}
	h.t.Fatal("nothing was refused")
	return nil
}

func (h *liftHost) refusalBy(check string, l policytest.Letter) *policy.Event {
	for _, e := range h.host().Send(l).Events {
		if e.Check == check && e.Action.Answers() && e.Action != policy.ActionWould {
			return e
		}
	}
	return nil
}

// do does what a way says.
func (h *liftHost) do(w why.Way) {
	if w.Operation != "" {
		h.operate(w.Operation, w.Words...)
		return
	}
	key, value, _ := strings.Cut(w.Entry, " ")
	h.flags = append([]string{"--" + w.Table + "=inline:{" + key + "=" + value + "}"}, h.flags...)
}

// operate carries an operation out on the state.
func (h *liftHost) operate(path string, words ...string) {
	h.t.Helper()
	flags := pflag.NewFlagSet("mailweir", pflag.ContinueOnError)
	_, draft := register(flags)
	service := admin.Service{
		Backends: &policy.Backends{State: h.store, Clock: time.Now},
		Offer:    func() admin.Offer { return admin.Offer{Groups: draft.Operations(), Delimiter: "+"} },
		Own:      ownOperations(ownParts{}),
	}
	for _, g := range slices.Concat(service.Own, draft.Operations()) {
		for _, op := range g.Operations {
			if admin.Path(g, op) != path {
				continue
			}
			request, err := requestOf(op, words)
			if err != nil {
				h.t.Fatal(err)
			}
			body, err := json.Marshal(request)
			if err != nil {
				h.t.Fatal(err)
			}
			if _, err := service.Do(h.t.Context(), policy.Person{Name: "test"}, admin.Request{Operation: path, Body: body}); err != nil {
				h.t.Fatalf("%s %q: %v", path, words, err)
			}
			return
		}
	}
	h.t.Fatalf("there is no operation %s", path)
}
