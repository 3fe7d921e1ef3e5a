package checks

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailweir/checks/greylist"
	"mailweir/checks/reputation"
	"mailweir/checks/tempblock"
	"mailweir/internal/history"
	"mailweir/internal/policytest"
)

// player is a host that does something every ten minutes of a day.
type player struct {
	name   string
	client string
	does   func(c *policytest.Host, client string, turn int)
	bad    bool // it must be found out, and the others never
}

// The hosts of an ordinary day. Greylisting is off, so that nobody is let off as a known net.
var players = []player{
	{name: "large provider", client: "198.51.100.1", does: func(c *policytest.Host, client string, turn int) {
		for i := range 20 { // of its mail one in five is refused permanently, and some addresses are no longer there
			from := "user@provider.example"
			if i%5 == 0 {
				from = "spammer@evil.example"
			}
			c.Visit(policytest.Letter{Client: client, From: from})
		}
		c.Guess(policytest.Letter{Client: client}, "5.1.1", 3, 0)
	}},
	{name: "forwarder", client: "198.51.100.2", does: func(c *policytest.Host, client string, turn int) {
		for i := range 5 { // two of five are spam that its users get, too
			from := fmt.Sprintf("friend%d@else.example", i)
			if i >= 3 {
				from = "spammer@evil.example"
			}
			c.Visit(policytest.Letter{Client: client, From: from})
		}
	}},
	{name: "mailing list host", client: "198.51.100.3", does: func(c *policytest.Host, client string, turn int) {
		if turn%6 == 0 { // each hour a posting to forty of us, ten of whom have left
			c.Guess(policytest.Letter{Client: client, From: "list-bounces@lists.example"}, "5.1.1", 10, 30)
		}
	}},
	{name: "victim of a joe-job", client: "198.51.100.4", does: func(c *policytest.Host, client string, turn int) {
		// somebody forges our addresses, and this host returns it all to us and asks whether they
		// exist
		c.Guess(policytest.Letter{Client: client, From: "<>"}, "5.1.1", 50, 2)
		s, _ := c.Begin(policytest.Letter{Client: client, From: "<>"})
		c.Leave(s)
	}},
	{name: "host that hangs up", client: "198.51.100.5", does: func(c *policytest.Host, client string, turn int) {
		for range 30 {
			s := c.Runner.NewSession()
			s.Connect(policytest.Letter{Client: client}.Connect())
			c.Leave(s)
			s, _ = c.Begin(policytest.Letter{Client: client})
			c.Leave(s)
		}
	}},
	{name: "client of a full account", client: "198.51.100.6", does: func(c *policytest.Host, client string, turn int) {
		first, _ := c.Begin(policytest.Letter{Client: "198.51.100.7", To: []string{"user@small.example"}})
		for range 10 { // only one transaction at once goes into this domain, and this client always comes second
			c.Visit(policytest.Letter{Client: client, To: []string{"user@small.example", "other@small.example"}})
		}
		c.Leave(first)
	}},
	{name: "dictionary attack", client: "203.0.113.1", bad: true, does: func(c *policytest.Host, client string, turn int) {
		c.Guess(policytest.Letter{Client: client}, "5.1.1", 60, 1)
	}},
	{name: "spam run", client: "203.0.113.2", bad: true, does: func(c *policytest.Host, client string, turn int) {
		for i := range 15 { // now and then one gets through
			from := "spammer@evil.example"
			if i == 0 && turn%6 == 0 {
				from = "new@unknown.example"
			}
			c.Visit(policytest.Letter{Client: client, From: from})
		}
	}},
}

// TestDay plays a day with all of them, and everything enforced.
func TestDay(t *testing.T) {
	c := whole().Host(t, "--tempblock=enforce", "--reputation=enforce", "--concurrency=enforce", "--concurrency-domain=1", "--greylist=off",
		"--local-domains=inline:{small.example=x}", "--sender-block-list=inline:{evil.example=REJECT}")
	found := map[string]map[string]int{} // by client and check
	listed := map[string]bool{}          // who was ever on the temporary block list
	for turn := range 24 * 6 {
		for _, p := range players {
			p.does(c, p.client, turn)
		}
		for _, e := range c.Taken() {
			if e.Check == tempblock.Check.Name || e.Check == reputation.Check.Name {
				client := e.Client.String()
				if found[client] == nil {
					found[client] = map[string]int{}
				}
				found[client][e.Check]++
			}
		}
		list, err := tempblock.List(t.Context(), c.World.State)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range list {
			listed[entry.Net] = true
			for _, p := range players {
				if !p.bad && entry.Net == history.Net(netip.MustParseAddr(p.client)) {
					t.Fatalf("turn %d: %s: %s", turn, p.name, entry)
				}
			}
		}
		c.After(10 * time.Minute)
	}
	for _, p := range players {
		of := reputationOf(c, p.client)
		switch {
		case !p.bad && (len(found[p.client]) > 0 || of.Score >= 1):
			t.Errorf("%s: turned away %v, %s", p.name, found[p.client], of)
		case p.bad && (!listed[p.client] || found[p.client][reputation.Check.Name] == 0 || !of.Judged || of.Score < 80):
			t.Errorf("%s: turned away %v, %s", p.name, found[p.client], of)
		}
	}
}

// A first-time sender whom greylisting puts off, again and again, is not held to be bad for it.
func TestDayOfAGreylistedSender(t *testing.T) {
	c := whole().Host(t, "--tempblock=enforce", "--reputation=enforce", "--greylist=enforce", "--greylist-skip-spf=off", "--greylist-delay=1h")
	for i := range 100 {
		said := c.Visit(policytest.Letter{From: fmt.Sprintf("user%d@else.example", i)})
		if len(said) != 1 || !strings.HasPrefix(said[0], "rcpt 451 4.7.1 Internal resource temporarily unavailable") {
			t.Fatalf("mail %d: %q", i, said)
		}
		c.After(10 * time.Second)
	}
	for _, e := range c.Taken() {
		if e.Check != greylist.Check.Name {
			t.Errorf("%s: %s", e.Check, e.Cause)
		}
	}
	if r := reputationOf(c, "192.0.2.1"); len(r.Parts) > 0 {
		t.Error(r)
	}
}
