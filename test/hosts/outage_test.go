package hosts

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"mailweir/test/testbed"
)

var outageFlags = []string{
	"--greylist=enforce", "--greylist-delay=0s", "--greylist-client-passes=0",
	"--open-relay=enforce", "--tempblock=enforce", "--tempblock-rules=open-relay=2/5m",
	"--concurrency=enforce", "--concurrency-domain=200", "--reputation=enforce",
	"--outbound-limit=enforce", "--outbound-limit-sessions=1",
}

// atLeast is how much must happen in each part of an outage: messages that each host takes.
const atLeast = 30

// outage takes the state away from two hosts under load, and gives it back.
func (s *site) outage(t *testing.T, begin, end func()) {
	a, b := s.hosts[0], s.hosts[1]
	a.do(t, "account off --inbound=closed.example --note=moving")
	b.do(t, "tempblock add 127.2.0.9 --for=1h --note=flood")
	s.inForce(t)
	held := a.as(t, "frank")
	held.begin(t, "frank@example.org", "x@else.example", taken)

	innocent, person := startLoad(a, b), startPerson(a, b)
	for _, h := range s.hosts {
		h.answers(t, "127.5.0.1", "alice@open.example", "bob@example.org", taken)
	}
	innocent.more(t, atLeast)
	person.more(t, 3, 0)
	begun := s.lines()
	begin()
	for _, h := range s.hosts {
		h.lastSaid(t, gone)
	}
	innocent.more(t, atLeast)
	s.inForce(t)
	person.more(t, 0, 3)
	// Each host counts its own places.
	session := a.as(t, "frank")
	session.begin(t, "frank@example.org", "x@else.example", tooMuch)
	session.quit(t)
	b.loginAnswers(t, "frank", "x@else.example", taken)

	ended := s.lines()
	end()
	for _, h := range s.hosts {
		h.lastSaid(t, back)
	}
	person.more(t, 2, 0)
	innocent.more(t, atLeast)
	innocent.end(t)
	person.end(t)

	s.saidOnce(t, begun, ended)
	s.inForce(t)
	for _, h := range s.hosts {
		person.finds(t, h)
	}
	b.loginAnswers(t, "frank", "x@else.example", tooMuch) // a's place is still taken
	held.quit(t)
	b.loginAnswers(t, "frank", "x@else.example", taken)
	sharesGreylist(t, a, b, "127.1.0.1", "alice@new.example")
	sharesTempblock(t, a, b, "127.2.0.1")
	s.neverWaited(t)
}

// inForce: what the administrator has entered acts on both hosts, whether or not the state is
// within reach.
func (s *site) inForce(t *testing.T) {
	t.Helper()
	for _, h := range s.hosts {
		h.answers(t, "127.5.0.1", "alice@open.example", "bob@closed.example", takesNone)
		h.answers(t, "127.2.0.9", "alice@open.example", "bob@example.org", blocked)
	}
}

// The log lines when the state becomes unavailable, and when it returns.
var (
	gone = testbed.Entry{"level": "error", "msg": "the state is unavailable; checks that need it do as their on-error says"}
	back = testbed.Entry{"level": "info", "msg": "the state is available again"}
)

// stateLine is a line of a log that says where the state is.
type stateLine struct {
	number int
	gone   bool
	text   string
}

func (h *host) stateLines() (said []stateLine) {
	for n, line := range h.mailweir.Log.Lines() {
		if entry, ok := testbed.ParseEntry(line); ok && (entry.Has(gone) || entry.Has(back)) {
			said = append(said, stateLine{n, entry.Has(gone), line})
		}
	}
	return said
}

// lastSaid waits until the last word about the state is this one.
func (h *host) lastSaid(t *testing.T, want testbed.Entry) {
	t.Helper()
	err := testbed.Until(func() error {
		if said := h.stateLines(); len(said) == 0 || said[len(said)-1].gone != want.Has(gone) {
			return fmt.Errorf("host %s does not say that %s", h.name, want["msg"])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lines are how many lines each log has.
func (s *site) lines() (n [2]int) {
	for i, h := range s.hosts {
		n[i] = len(h.mailweir.Log.Lines())
	}
	return n
}

// saidOnce: one line when the state goes, one when it returns. Under load a busy machine may keep
// the state waiting for a second, and then there are more; but they take turns, and an outage,
// between these lines of the logs, has no second one.
func (s *site) saidOnce(t *testing.T, begun, ended [2]int) {
	t.Helper()
	for i, h := range s.hosts {
		away, during := false, 0
		for _, line := range h.stateLines() {
			t.Logf("host %s: %s", h.name, line.text)
			if line.gone == away {
				t.Errorf("host %s says twice: %s", h.name, line.text)
			}
			if away = line.gone; away && line.number >= begun[i] && line.number < ended[i] {
				during++
			}
		}
		if away || during > 1 {
			t.Errorf("host %s: at the end unavailable: %v; said %d times in the outage", h.name, away, during)
		}
	}
}

// person is an administrator who makes one entry after the other, on one host and on the other.
type person struct {
	stop chan struct{}
	done sync.WaitGroup

	mu           sync.Mutex
	acknowledged []string
	refused      []error
}

func startPerson(hosts ...*host) *person {
	p := &person{stop: make(chan struct{})}
	p.done.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-p.stop:
				return
			default:
			}
			domain := fmt.Sprintf("d%d.example", n)
			_, err := hosts[n%len(hosts)].command("account", "off", "--inbound="+domain, "--note=entry")
			p.heard(domain, err)
		}
	})
	return p
}

func (p *person) heard(domain string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.refused = append(p.refused, err)
		return
	}
	p.acknowledged = append(p.acknowledged, domain)
}

func (p *person) count() (acknowledged, refused int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.acknowledged), len(p.refused)
}

// more waits until so many more entries are acknowledged, and so many are not.
func (p *person) more(t *testing.T, acknowledged, refused int) {
	t.Helper()
	a, r := p.count()
	if err := testbed.Until(func() error {
		if a2, r2 := p.count(); a2 < a+acknowledged || r2 < r+refused {
			return fmt.Errorf("%d more entries are acknowledged, %d are not; want %d and %d", a2-a, r2-r, acknowledged, refused)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// end stops the person. What was not acknowledged must have said why.
func (p *person) end(t *testing.T) {
	t.Helper()
	close(p.stop)
	p.done.Wait()
	for _, err := range p.refused {
		if !strings.Contains(err.Error(), unavailable) {
			t.Error("a command that fails says only:", err)
		}
	}
	t.Logf("%d entries acknowledged, %d not: %v", len(p.acknowledged), len(p.refused), errors.Join(p.refused...))
}

// finds: a host lists every entry that was acknowledged. Of the others some may be there: what
// reached a server that hung.
func (p *person) finds(t *testing.T, h *host) {
	t.Helper()
	out := h.do(t, "account list")
	for _, domain := range p.acknowledged {
		if !hasLine(out, []string{" " + domain + " ", "entry"}) {
			t.Errorf("host %s: %s was acknowledged and is lost:\n%s", h.name, domain, out)
		}
	}
	t.Logf("host %s lists %d entries", h.name, strings.Count(out, "entry"))
}
