package checks

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/resource"
	"mailweir/internal/table"
	"mailweir/internal/table/tabletest"
)

// fromBlocks are the checks that block by an address of header From, each with flags that have it
// block boss@ours.example by a table in memory, and by one that waits.
var fromBlocks = []struct {
	name            string
	memory, waiting []string
	key, value      string
	said            string
}{
	{
		"header-from",
		[]string{"--header-from-list=inline:{boss@ours.example=REJECT}"},
		[]string{"--header-from-list=test:a"},
		"boss@ours.example", "REJECT", headerRefused,
	},
	{
		"header-from",
		[]string{"--header-from-list=inline:{boss@ours.example=REJECT}", "--header-from-display"},
		[]string{"--header-from-list=test:a", "--header-from-display"},
		"boss@ours.example", "REJECT", headerRefused,
	},
	{
		"sender-block",
		[]string{"--sender-block-list=inline:{boss@ours.example=REJECT}", "--sender-block-on=header"},
		[]string{"--sender-block-list=test:a", "--sender-block-on=header"},
		"boss@ours.example", "REJECT", headerRefused,
	},
	{
		"lockout",
		[]string{"--lockout=enforce", "--lockout-on=header"},
		[]string{"--lockout=enforce", "--lockout-on=header", "--local-domains=test:a"},
		"ours.example", "x", "end 550 5.7.1 Administrative Lockout - Inbound not allowed",
	},
	{
		"managed",
		[]string{"--managed-list=inline:{ {user@ours.example=block boss@ours.example} }"},
		nil,
		"", "", managedRefused,
	},
	{
		"managed",
		[]string{"--managed-list=inline:{ {user@ours.example=block ours.example} }", "--managed-header-action=reject"},
		nil,
		"", "", managedRefused,
	},
}

const (
	headerRefused  = "end 550 5.7.1 Rejected by header based Blocked Senders - Block policy for Header From"
	managedRefused = "end 550 5.7.1 Rejected by header based manually Blocked Senders - block for manual block"
)

// addresses are n of them that nobody blocks, each with a comma.
func addresses(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d@b.example,", i)
	}
	return b.String()
}

// TestFromInFront: nothing in front of an address that is blocked gets it past the block.
func TestFromInFront(t *testing.T) {
	const boss, dropped = "boss@ours.example", "other fields of a MiB, some of which are not kept"
	fields := func(n int, one string) []string { return slices.Repeat([]string{one}, n) }
	var distinct []string
	for i := range 10_000 {
		distinct = append(distinct, fmt.Sprintf("From: %d@b.example", i))
	}
	for _, front := range []struct {
		name   string
		header []string
	}{
		{"99 addresses", []string{"From: " + addresses(99) + boss}},
		{"100 addresses", []string{"From: " + addresses(100) + boss}},
		{"120 addresses", []string{"From: " + addresses(120) + boss}},
		{"5,000 addresses", []string{"From: " + addresses(5000) + boss}},
		{"120 encoded addresses", []string{"From: " + addresses(120) + "=?utf-8?Q?boss=40ours.example?="}},
		{"120 fields", append(distinct[:120:120], "From: "+boss)},
		{"10,000 fields", append(distinct[:10_000:10_000], "From: "+boss)},
		{"fields of 60 KB", append(fields(4, "From: "+strings.Repeat("x ", 30<<10)), "From: "+boss)},
		{"names of 60 KB", append(fields(4, `From: "`+strings.Repeat("x", 60<<10)+`" <a@b.example>`), "From: "+boss)},
		{"10,000 other fields", append(fields(10_000, "X: y"), "From: "+boss)},
		{"10,000 other fields and 101 From fields", slices.Concat(fields(10_000, "X: y"), distinct[:101], []string{"From: " + boss})},
		{dropped, append(fields(18, "X: "+strings.Repeat("y", 60<<10)), "From: "+boss)},
		{"full-width letters", []string{"From: " + addresses(120) + "ｂｏｓｓ＠ours．example"}},
	} {
		for _, c := range fromBlocks {
			flags := append([]string{"--local-domains=inline:{ours.example=x}"}, c.memory...)
			t.Run(front.name+"/"+strings.Join(c.memory, " "), func(t *testing.T) {
				said, events := c.said, c.name+" refused"
				if front.name == dropped && c.name == "lockout" { // a signature may be among them
					said, events = "end "+notProcessed, c.name+" deferred"
				}
				whole().Play(t, flags, []policytest.Scenario{
					{Name: "blocked", Mail: policytest.Letter{From: "<>", Header: front.header}, Said: said, Events: events},
				})
			})
		}
	}
}

// TestFromThatWaits: of tables that wait 200 addresses are asked. One among them that is blocked is
// refused; where there are more, the check fails and the mail comes again.
func TestFromThatWaits(t *testing.T) {
	const boss = "boss@ours.example"
	for _, c := range fromBlocks {
		if c.waiting == nil {
			continue
		}
		for _, tt := range []struct{ name, from, said, events string }{
			{"the last that is asked", addresses(199) + boss, c.said, c.name + " refused"},
			{"behind those that are asked", addresses(200) + boss, "end " + notProcessed, c.name + " deferred"},
			{"far behind", addresses(5000) + boss, "end " + notProcessed, c.name + " deferred"},
			{"in front", boss + "," + addresses(5000), c.said, c.name + " refused"},
			{"the same one again and again", strings.Repeat("a@b.example,", 1000) + boss, c.said, c.name + " refused"},
			{"as many as are asked, and none is blocked", addresses(200), "", ""},
			{"one more, and none is blocked", addresses(201), "end " + notProcessed, c.name + " deferred"},
		} {
			t.Run(strings.Join(c.waiting, " ")+"/"+tt.name, func(t *testing.T) {
				var tables tabletest.Tables
				world := policytest.NewWorld()
				world.Tables = func(_ *resource.Holder, kind, source string) (table.Waiting, error) { return tables.Open(kind, source) }
				tables.Table("a").Put(c.key, c.value)
				p, err := whole().Build(world, c.waiting...)
				if err != nil {
					t.Fatal(err)
				}
				policytest.Scenario{Mail: policytest.Letter{From: "<>", Header: []string{"From: " + tt.from}}, Said: tt.said, Events: tt.events}.Check(t, p)
				const keys = 8 // of one address, at most
				if asked := len(tables.Table("a").Asked()); asked > 200*keys {
					t.Errorf("the table was asked for %d keys", asked)
				}
			})
		}
	}
}

// TestFromTooLong: of what is not kept nobody knows whether it is blocked. A message that nobody
// blocks anything in passes.
func TestFromTooLong(t *testing.T) {
	front := slices.Repeat([]string{"From: " + strings.Repeat("x ", 30<<10)}, 17)
	long := policytest.Letter{Header: slices.Concat(front, slices.Repeat([]string{"From: a@b.example"}, 100), []string{"From: boss@ours.example"})}
	short := policytest.Letter{Header: []string{"From: a@b.example"}}
	for _, c := range fromBlocks {
		flags := append([]string{"--local-domains=inline:{ours.example=x}"}, c.memory...)
		t.Run(strings.Join(c.memory, " "), func(t *testing.T) {
			whole().Play(t, flags, []policytest.Scenario{
				{Name: "too long", Mail: long, Said: "end " + notProcessed, Events: c.name + " deferred"},
				{Name: "too long, accepted on error", Flags: []string{"--" + c.name + "-on-error=accept"}, Mail: long, Events: c.name + " check_error"},
				{Name: "neighbour", Mail: short},
			})
		})
	}
	whole().Play(t, []string{"--managed-list=inline:{ {other@ours.example=block boss@ours.example} }"}, []policytest.Scenario{
		{Name: "nothing is blocked", Mail: long},
	})
}

// TestManyFieldsTakeNoMemory: what a header takes is bounded, however long it is.
func TestManyFieldsTakeNoMemory(t *testing.T) {
	h := whole().Host(t, "--header-from-list=inline:{x@bad.example=REJECT}", "--signature-types=executable")
	held := func(fields int) int64 {
		s, said := h.Begin(policytest.Letter{})
		if said != "" {
			t.Fatal(said)
		}
		defer s.Close()
		before := reachable()
		for i := range fields {
			name := [...]string{"From", "X", "Received", "Content-Type"}[i%4]
			s.Header(policy.Field{Name: strings.Clone(name), Value: strings.Repeat("y", 50)}, "")
		}
		return reachable() - before
	}
	if took := held(300_000); took > 8<<20 {
		t.Errorf("300,000 fields take %d KiB", took>>10)
	}
}

// reachable is the memory that is in use.
func reachable() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
