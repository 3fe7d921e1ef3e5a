package managed

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

const (
	managedUser   = "rcpt 550 5.7.1 Envelope blocked - User Entry"
	managedDomain = "rcpt 550 5.7.1 Envelope blocked - User Domain Entry"
	unavailable   = "451 4.7.1 Internal resource temporarily unavailable"
	managedFrom   = "end 550 5.7.1 Rejected by header based manually Blocked Senders - block for manual block"
)

func TestManagedList(t *testing.T) {
	list := policytest.File(t, "managed", `user@ours.example block spammer@else.example, bad.example permit good@bad.example fine.bad.example
other@ours.example permit tie@else.example block tie@else.example else.example
ext@ours.example block spammer@else.example
ext+shop@ours.example permit spammer@else.example
tld@ours.example block .top
house.example block bad.example
`)
	from := func(sender string, to ...string) policytest.Letter { return policytest.Letter{From: sender, To: to} }
	policytest.Only(Check).Play(t, []string{"--local-domains=inline:{ours.example=x, house.example=x}", "--managed-list=" + list}, []policytest.Scenario{
		{Name: "address", Mail: from("spammer@else.example"), Said: managedUser, Events: "managed refused", Cause: `"user@ours.example" blocks "spammer@else.example": ` + list + ":1"},
		{Name: "whatever its case", Mail: from("SPAMMER@Else.example", "User@Ours.Example"), Said: managedUser},
		{Name: "extension of the sender", Mail: from("spammer+1@else.example"), Said: managedUser},
		{Name: "extension of the recipient", Mail: from("spammer@else.example", "user+list@ours.example"), Said: managedUser},
		{Name: "neighbour", Mail: from("spammer2@else.example")},
		{Name: "another recipient", Mail: from("spammer@else.example", "third@ours.example")},
		{Name: "one of two", Mail: from("spammer@else.example", "user@ours.example", "third@ours.example"), Said: managedUser},
		{Name: "domain", Mail: from("x@bad.example"), Said: managedDomain},
		{Name: "sub-domain", Mail: from("x@mx.bad.example"), Said: managedDomain},
		{Name: "many labels", Mail: from("x@a.b.c.d.e.f.g.h.i.j.k.l.m.bad.example"), Said: managedDomain},
		{Name: "other domain", Mail: from("x@notbad.example")},
		{Name: "more specific address", Mail: from("good@bad.example")},
		{Name: "more specific domain", Mail: from("x@fine.bad.example")},
		{Name: "permit on a tie", Mail: from("tie@else.example", "other@ours.example")},
		{Name: "the rest of the tie's domain", Mail: from("x@else.example", "other@ours.example"), Said: managedDomain},
		{Name: "entry of the extension", Mail: from("spammer@else.example", "ext+shop@ours.example")},
		{Name: "other extension", Mail: from("spammer@else.example", "ext+x@ours.example"), Said: managedUser},
		{Name: "top-level domain", Mail: from("x@a.top", "tld@ours.example"), Said: managedDomain},
		{Name: "for a whole domain", Mail: from("x@bad.example", "any@house.example"), Said: managedDomain},
		{Name: "null sender", Mail: from("<>")},
		{Name: "internal", Mail: policytest.Letter{Login: "x", From: "spammer@else.example"}, Said: managedUser},
		{Name: "local submission", Mail: policytest.Letter{Client: "none", From: "spammer@else.example"}, Said: "end" + managedUser[4:]},
		{Name: "abuse", Mail: from("x@bad.example", "abuse@house.example")},
		{Name: "permitted client", Flags: []string{"--permit-clients=static:OK"}, Mail: from("spammer@else.example")},
		{Name: "monitor", Flags: []string{"--managed=monitor"}, Mail: from("spammer@else.example"), Events: "managed would_refuse"},
		{Name: "defer", Flags: []string{"--managed=defer"}, Mail: from("spammer@else.example"), Said: "rcpt 451 4" + managedUser[10:]},
	})
	for value, words := range map[string]string{"spammer@else.example": "want block or permit", "block": "want block or permit", "block x@": "neither an address nor a domain", "block blok a@b.c": `"blok"`} {
		policytest.Only(Check).WantError(t, "managed:1: ", "--managed-list="+policytest.File(t, "managed", "user@ours.example "+value+"\n"))
		policytest.Only(Check).WantError(t, words, "--managed-list="+policytest.File(t, "managed", "user@ours.example "+value+"\n"))
	}
	policytest.Only(Check).WantError(t, "--managed-header-action", "--managed-header-action=bounce")
}

func TestManagedHeader(t *testing.T) {
	list := "--managed-list=" + policytest.File(t, "managed", "user@ours.example block bad@else.example\nother@ours.example block else.example\nfriend@ours.example permit bad@else.example\n")
	header := func(to ...string) policytest.Letter {
		return policytest.Letter{From: "list@lists.example", To: to, Header: []string{"From: Bad <bad@else.example>"}}
	}
	policytest.Only(Check).Play(t, []string{list}, []policytest.Scenario{
		{Name: "alone", Mail: header("user@ours.example"), Said: managedFrom, Events: "managed refused"},
		{Name: "all block", Mail: header("user@ours.example", "other@ours.example"), Said: managedFrom},
		{Name: "one of two", Mail: header("user@ours.example", "friend@ours.example"), Said: "end change remove <user@ours.example>", Events: "managed removed", Cause: `"user@ours.example" blocks "bad@else.example"`},
		{Name: "two of three", Mail: header("user@ours.example", "friend@ours.example", "other@ours.example"), Said: "end change remove <user@ours.example>; remove <other@ours.example>", Events: "managed removed\nmanaged removed"},
		{Name: "none", Mail: header("friend@ours.example", "third@ours.example")},
		{Name: "one of two, rejected", Flags: []string{"--managed-header-action=reject"}, Mail: header("user@ours.example", "friend@ours.example"), Said: managedFrom},
		{Name: "none, rejected", Flags: []string{"--managed-header-action=reject"}, Mail: header("friend@ours.example")},
		{Name: "monitor", Flags: []string{"--managed=monitor"}, Mail: header("user@ours.example", "friend@ours.example"), Events: "managed would_refuse"},
		{Name: "defer removes nobody", Flags: []string{"--managed=defer"}, Mail: header("user@ours.example", "friend@ours.example"), Events: "managed would_refuse"},
		{Name: "pilot", Flags: []string{"--enforce-for=inline:{friend@ours.example=x}"}, Mail: header("user@ours.example", "friend@ours.example"), Events: "managed would_refuse"},
		{Name: "null sender", Mail: policytest.Letter{From: "<>", Header: []string{"From: bad@else.example"}}, Said: managedFrom},
	})
}

// The MTA is told to remove a recipient as it wrote it.
func TestManagedRemovesTheSpelling(t *testing.T) {
	p, err := policytest.Only(Check).Build(policytest.NewWorld(), "--managed-list=inline:{ {user@ours.example=block bad@else.example} }")
	if err != nil {
		t.Fatal(err)
	}
	h := policytest.NewHost(t, nil, p)
	s := h.Runner.NewSession()
	s.Connect(policytest.Letter{}.Connect())
	s.Helo(policy.HeloFacts{Name: "client.example"})
	s.Mail(policytest.Letter{}.Mail())
	for _, to := range []string{`"User"@Ours.Example`, "third@ours.example"} {
		if a := s.Rcpt(policy.RcptFacts{Recipient: to, Spelling: "<" + to + ">"}); a.Refuses() {
			t.Fatal(a.Line)
		}
	}
	s.Header(policy.Field{Name: "From", Value: "bad@else.example"}, "")
	s.EndOfHeaders()
	a := s.EndOfMessage("")
	if got := policy.EditText(a.Edits); a.Refuses() || got != `remove <"User"@Ours.Example>` {
		t.Errorf("answer %q, edits %q", a.Line, got)
	}
	h.Leave(s)
}

// A permit lets mail past what judges by appearance, if SPF vouches for the sender.
func TestManagedPermit(t *testing.T) {
	strict := policytest.Refuses("strict", func(*policy.Recipient) bool { return true })
	strict.Exempt = policy.ExemptRecipientPermit
	known := policytest.Names{"vouched.example TXT": "v=spf1 ip4:192.0.2.1 -all", "forged.example TXT": "v=spf1 -all", "down.example TXT": "fail"}
	world := policytest.NewWorld()
	world.DNS, world.Lists, _ = known.Serve(t)
	p, err := policytest.Only(Check, strict).Build(world,
		"--managed-list=inline:{ {user@ours.example=permit a@vouched.example forged.example down.example} }")
	if err != nil {
		t.Fatal(err)
	}
	s := policytest.NewHost(t, world, p)
	const no = "rcpt 550 5.7.1 strict"
	for from, want := range map[string]string{"a@vouched.example": "", "b@vouched.example": no, "a@forged.example": no, "a@down.example": "rcpt 451 4.7.1 strict"} {
		if got := strings.Join(s.Send(policytest.Letter{From: from}).Said, "\n"); got != want {
			t.Errorf("%s: said %q, want %q", from, got, want)
		}
	}
	if got := s.Send(policytest.Letter{From: "a@vouched.example", To: []string{"third@ours.example"}}).Said; strings.Join(got, "") != no {
		t.Errorf("another recipient: said %q", got)
	}
}

// What is entered counts with what the list says, and at once.
func TestManagedEntered(t *testing.T) {
	world, now := policytest.NewWorld(), new(policytest.Clock)
	world.Clock = now.Time
	store := &policytest.Fallible{Store: state.NewMemory(world.Clock, 100)}
	world.State = store
	p, err := policytest.Only(Check).Build(world, "--managed-list=inline:{ {user@ours.example=block else.example} }")
	if err != nil {
		t.Fatal(err)
	}
	s := policytest.NewHost(t, world, p)
	ctx, by := t.Context(), entry.Origin{By: "root", UID: 7, At: policytest.Noon, Note: "asked\x07"}
	add := func(recipient, subject string, permit bool, life time.Duration) {
		t.Helper()
		if err := enter(ctx, store, recipient, subject, permit, life, by); err != nil {
			t.Fatal(err)
		}
	}
	want := func(from, said string) policytest.Sent {
		t.Helper()
		got := s.Send(policytest.Letter{From: from})
		if strings.Join(got.Said, "\n") != said {
			t.Errorf("%s: said %q, want %q", from, got.Said, said)
		}
		return got
	}
	want("a@else.example", managedDomain)
	add("User@ours.example", "Else.Example", true, time.Hour) // a tie with the list
	want("a@else.example", "")
	add("user@ours.example", "a@else.example", false, 0)
	got := want("a@else.example", managedUser)
	if cause := `"user@ours.example" blocks "a@else.example": permanently, by root (uid 7) on 2026-11-23 12:00:00: asked`; got.Events[0].Cause != cause {
		t.Errorf("cause %q, want %q", got.Events[0].Cause, cause)
	}
	now.Move(time.Hour)
	want("b@else.example", managedDomain)
	list, err := entriesOf(ctx, store, "user+x@ours.example", "+")
	if err != nil || len(list) != 1 || list[0].Subject != "a@else.example" || list[0].Permit || list[0].Note != "asked" {
		t.Errorf("list %+v, %v", list, err)
	}
	if list, err = entriesOf(ctx, store, "other@ours.example", "+"); len(list) != 0 || err != nil {
		t.Errorf("list of another %+v, %v", list, err)
	}
	if done, err := takeAway(ctx, store, "user@ours.example", "A@else.example"); !done || err != nil {
		t.Errorf("rm: %t, %v", done, err)
	}
	if done, err := takeAway(ctx, store, "user@ours.example", "a@else.example"); done || err != nil {
		t.Errorf("rm again: %t, %v", done, err)
	}
	for _, wrong := range [][2]string{{"user", "a@b.example"}, {"user@ours.example", "spammer"}, {"user@ours.example", "@"}, {"user@ours.example", "a@.@"}, {"user@ours.example", "..top"}, {"", "a@b.example"}, {"user@ours.example", strings.Repeat("a.", 16) + "example"}} {
		if err := enter(ctx, store, wrong[0], wrong[1], false, 0, by); err == nil {
			t.Errorf("%q: no error", wrong)
		}
	}
	store.Down.Store(true)
	if got := want("a@else.example", "rcpt "+unavailable); len(got.Events) != 1 || got.Events[0].Err == "" {
		t.Errorf("events %+v", got.Events)
	}
}

// waitingStore is a store that is asked over a network.
type waitingStore struct{ state.Store }

func (waitingStore) Waits() bool { return true }

// Every address of header From is looked up for who has run-time entries; of a store that waits 200
// are asked, and where there are more, the check fails. Recipients without entries block nothing,
// however long the field is.
func TestManagedFromInFront(t *testing.T) {
	const boss, failed = "boss@else.example", "end 451 4.3.0 Unable to process email at this time"
	front := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strconv.Itoa(i) + "@b.example,")
		}
		return "From: " + b.String()
	}
	many := make([]string, 0, 120)
	for i := range cap(many) {
		many = append(many, "u"+strconv.Itoa(i)+"@listed.example")
	}
	for _, tt := range []struct {
		name  string
		waits bool
		from  string
		to    []string
		said  string
	}{
		{"behind 100", false, front(100) + boss, nil, managedFrom},
		{"behind 5,000", false, front(5000) + boss, nil, managedFrom},
		{"a store that waits, the last that is asked", true, front(199) + boss, nil, managedFrom},
		{"a store that waits, behind those that are asked", true, front(200) + boss, nil, failed},
		{"a store that waits, one more and none is blocked", true, front(201), nil, failed},
		{"a store that waits, as many and none is blocked", true, front(200), nil, ""},
		{"a store that waits, no entries", true, front(5000) + boss, []string{"other@ours.example"}, ""},
		{"tables, though the store waits", true, front(5000) + "x@bad.example", []string{"u0@listed.example"}, managedFrom},
		{"as many pairs as are looked up", false, front(999) + "x@bad.example", many[:100], managedFrom},
		{"too many pairs", false, front(1000), many, failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			world := policytest.NewWorld()
			if err := enter(t.Context(), world.State, "user@ours.example", boss, false, 0, entry.Origin{By: "root", At: policytest.Noon}); err != nil {
				t.Fatal(err)
			}
			if tt.waits {
				world.State = waitingStore{world.State}
			}
			p, err := policytest.Only(Check).Build(world, "--managed-list=inline:{ {listed.example=block bad.example} }")
			if err != nil {
				t.Fatal(err)
			}
			p.Ready(t.Context())
			got := policytest.NewHost(t, world, p).Send(policytest.Letter{Header: []string{tt.from}, To: tt.to})
			if said := strings.Join(got.Said, "\n"); said != tt.said {
				t.Errorf("said %q, want %q", said, tt.said)
			}
			if tt.said == failed && (len(got.Events) != 1 || got.Events[0].Err == "") {
				t.Errorf("events %+v", got.Events)
			}
		})
	}
}

// While the state is unavailable, recipients without run-time entries have what the tables say, and
// other checks answer as ever. For those with entries, nothing that a permit of theirs might let on
// is refused permanently.
func TestManagedWhileTheStateIsDown(t *testing.T) {
	known := policytest.Names{
		"vouched.example TXT": "v=spf1 ip4:192.0.2.0/24 -all", "forged.example TXT": "v=spf1 -all", "down.example TXT": "fail",
	}
	const listed = "listed"
	check := policytest.Refuses("listed", func(r *policy.Recipient) bool { return r.Conn().Client == netip.MustParseAddr("192.0.2.9") })
	check.Exempt = policy.ExemptRecipientPermit
	world := policytest.NewWorld()
	store := &policytest.Fallible{Store: world.State}
	world.State = store
	world.DNS, world.Lists, _ = known.Serve(t)
	enter := func(recipient, subject string) {
		t.Helper()
		if err := enter(t.Context(), store, recipient, subject, true, 0, entry.Origin{By: "root", At: policytest.Noon}); err != nil {
			t.Fatal(err)
		}
	}
	enter("before@ours.example", "friend@vouched.example")
	p, err := policytest.Only(Check, check).Build(world, "--managed-on-error=accept",
		`--managed-list=inline:{ {user@ours.example=block bad.example permit vouched.example}, {before@ours.example=block bad.example permit sure@vouched.example vouched.example}}`)
	if err != nil {
		t.Fatal(err)
	}
	p.Ready(t.Context())
	s := policytest.NewHost(t, world, p)
	enter("later+x@ours.example", "friend@vouched.example")
	for _, tt := range []struct{ name, client, from, to, said, events string }{
		{"blocked by the table", "", "a@bad.example", "user@ours.example", managedDomain, "managed refused"},
		{"permitted by the table", "192.0.2.9", "a@vouched.example", "user@ours.example", "", ""},
		{"no entries", "192.0.2.9", "a@vouched.example", "other@ours.example", "rcpt 550 5.7.1 " + listed, "listed refused"},
		{"entries: a block is skipped", "", "a@bad.example", "before@ours.example", "", "managed check_error"},
		{"entries: maybe a permit", "192.0.2.9", "a@vouched.example", "before@ours.example", "rcpt 451 4.7.1 " + listed, "managed check_error\nlisted deferred"},
		{"entries: none would be vouched for", "192.0.2.9", "a@forged.example", "before@ours.example", "rcpt 550 5.7.1 " + listed, "managed check_error\nlisted refused"},
		{"entries: vouching cannot be told", "192.0.2.9", "a@down.example", "before@ours.example", "rcpt 451 4.7.1 " + listed, "managed check_error\nlisted deferred"},
		{"entries: nothing against it", "", "a@vouched.example", "before@ours.example", "", "managed check_error"},
		{"entries: a permit that none could change", "192.0.2.9", "sure@vouched.example", "before@ours.example", "", ""},
		{"entries: of the address with an extension", "192.0.2.9", "a@vouched.example", "before+x@ours.example", "rcpt 451 4.7.1 " + listed, "managed check_error\nlisted deferred"},
		{"entered since", "192.0.2.9", "a@vouched.example", "later+x@ours.example", "rcpt 451 4.7.1 " + listed, "managed check_error\nlisted deferred"},
		{"entered for another extension", "192.0.2.9", "a@vouched.example", "later@ours.example", "rcpt 550 5.7.1 " + listed, "listed refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store.Down.Store(true)
			defer func() { store.Down.Store(false) }()
			got := s.Send(policytest.Letter{Client: tt.client, From: tt.from, To: []string{tt.to}})
			var events []string
			for _, e := range got.Events {
				events = append(events, e.Check+" "+e.Action.String())
			}
			if said, seen := strings.Join(got.Said, "\n"), strings.Join(events, "\n"); said != tt.said || seen != tt.events {
				t.Errorf("said %q, want %q; events %q, want %q", said, tt.said, seen, tt.events)
			}
		})
	}
}

// An outage of the state stops no mail to those of whom no entry is known, also where nothing is
// known of anybody; what the tables say of them stands, for each of several recipients: temporarily
// where it is not known either whether the administrator has permitted the client.
func TestManagedOutage(t *testing.T) {
	const known, unknown, tabled = "known@ours.example", "unknown@ours.example", "tabled@ours.example"
	const unsure = "rcpt 451 4.7.1 Envelope blocked - User Domain Entry"
	for name, tt := range map[string]struct {
		read bool // the entries, before the outage
		to   []string
		said string
	}{
		"known, read":                          {true, []string{known}, "rcpt " + unavailable},
		"unknown, read":                        {true, []string{unknown}, ""},
		"known, not read":                      {false, []string{known}, ""},
		"unknown, not read":                    {false, []string{unknown}, ""},
		"in the table, not read":               {false, []string{tabled}, unsure},
		"in the table after unknown, not read": {false, []string{unknown, tabled}, unsure},
	} {
		t.Run(name, func(t *testing.T) {
			world := policytest.NewWorld()
			store := &policytest.Fallible{Store: world.State}
			world.State = store
			if err := enter(t.Context(), store, known, "a@else.example", false, 0, entry.Origin{}); err != nil {
				t.Fatal(err)
			}
			store.Down.Store(!tt.read)
			p, err := policytest.Only(Check).Build(world, `--managed-list=inline:{ {tabled@ours.example=block bad.example}}`)
			if err != nil {
				t.Fatal(err)
			}
			p.Ready(t.Context())
			s := policytest.NewHost(t, world, p)
			store.Down.Store(true)
			got := s.Send(policytest.Letter{From: "a@bad.example", To: tt.to})
			if said := strings.Join(got.Said, "\n"); said != tt.said {
				t.Errorf("said %q, want %q", said, tt.said)
			}
			if len(got.Events) == 0 && !(tt.read && tt.to[0] == unknown) {
				t.Error("nobody is told of the error")
			}
		})
	}
}

// Header From is judged for all recipients, also where it is not known what one of them has
// entered.
func TestManagedOutageHeader(t *testing.T) {
	world := policytest.NewWorld()
	store := &policytest.Fallible{Store: world.State}
	world.State = store
	store.Down.Store(true)
	p, err := policytest.Only(Check).Build(world, "--managed-header-action=reject", `--managed-list=inline:{ {tabled@ours.example=block bad.example}}`)
	if err != nil {
		t.Fatal(err)
	}
	s := policytest.NewHost(t, world, p)
	for from, want := range map[string]string{"x@bad.example": "end 451 4.7.1 Rejected by header based manually Blocked Senders - block for manual block", "x@good.example": ""} {
		got := s.Send(policytest.Letter{From: "a@good.example", To: []string{"unknown@ours.example", "tabled@ours.example"}, Header: []string{"From: " + from}})
		if said := strings.Join(got.Said, "\n"); said != want {
			t.Errorf("%s: said %q, want %q", from, said, want)
		}
	}
}

// Who has entries is unknown until all have been read, and again when changes may have been missed.
func TestManagedOwners(t *testing.T) {
	store := &policytest.Fallible{Store: policytest.NewWorld().State}
	store.Down.Store(true)
	if err := enter(t.Context(), store.Store, "user@ours.example", "a@b.example", true, 0, entry.Origin{}); err != nil {
		t.Fatal(err)
	}
	user, other := []address.Address{address.Parse("user@ours.example")}, []address.Address{address.Parse("other@ours.example")}
	o := owners{state.NewMirror(store, time.Now, state.MirrorOptions{Space: space, KeysOnly: true, Most: 3})}
	defer o.known.Close()
	want := func(when string, users, others bool) {
		t.Helper()
		_, maybeUser := o.include(user)
		_, maybeOther := o.include(other)
		if got := [2]bool{maybeUser, maybeOther}; got != [2]bool{users, others} {
			t.Errorf("%s: %v", when, got)
		}
	}
	want("at first", true, true)
	o.refresh(t.Context())
	want("not read", true, true)
	store.Down.Store(false)
	o.tick(t.Context(), nil)
	want("read", true, false)
	add := func(recipient string) {
		t.Helper()
		if err := enter(t.Context(), store.Store, recipient, "a@b.example", true, 0, entry.Origin{}); err != nil {
			t.Fatal(err)
		}
	}
	add("third@ours.example")
	want("changed", true, false)
	store.Down.Store(true)
	o.tick(t.Context(), nil)
	want("changed, not read", true, false)
	store.Down.Store(false)
	o.tick(t.Context(), nil)
	want("read again", true, false)
	if _, err := takeAway(t.Context(), store, "user@ours.example", "a@b.example"); err != nil {
		t.Fatal(err)
	}
	o.tick(t.Context(), nil)
	want("removed", false, false)
	for i := range 3 {
		add(strconv.Itoa(i) + "@ours.example")
	}
	o.tick(t.Context(), nil)
	want("too many", true, true)
}
