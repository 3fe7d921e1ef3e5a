package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"mailweir/test/testbed"
)

// bed is what all cells have in common.
type bed struct {
	*testbed.Program
	messages int
	binary   string
	mta      *testbed.MTA
}

// cell is one peer with one fault.
type cell struct {
	*bed
	subject subject
	proxy   *testbed.Proxy
	fault   testbed.Fault
	flags   []string

	sent                      int
	accepted                  map[string]bool // subjects of what the MTA took
	usual, temporary, through int
	wrong                     []string
	slowest                   time.Duration
	gone, back                map[string]int // lines of the log, by backend
	lost                      int
	returned                  time.Duration
	before, after             string // what was not as usual without a fault
}

// few are enough to see that a peer works.
const few = 10

func (c *cell) run(tb testbed.TB) error {
	c.accepted = map[string]bool{}
	c.proxy.Set(testbed.Fault{})
	m := c.start(tb)
	defer func() {
		if err := m.End(); err != nil {
			c.Errorf("faults: mailweir: %v", err)
		}
	}()
	c.before = c.healthy(few)
	from := len(m.Log.Lines())
	c.proxy.Set(c.fault)
	c.underLoad(c.messages)
	begun := time.Now()
	c.proxy.Set(testbed.Fault{})
	c.after = c.recover(begun)
	c.count(m, from)
	c.lost = c.missing()
	return nil
}

// start starts whoever asks the peer.
func (c *cell) start(tb testbed.TB) *testbed.Mailweir {
	if c.subject.logins {
		return testbed.StartAuth(tb, c.binary, c.mta.Below(authSocket), c.flags...).Mailweir
	}
	return testbed.StartMailweir(tb, testbed.MailweirConfig{
		Binary: c.binary, Socket: c.mta.Milter, Flags: slices.Concat([]string{c.mta.Services()}, quiet, c.flags),
	})
}

// underLoad sends messages all at once, and sorts their answers.
func (c *cell) underLoad(n int) {
	var mu sync.Mutex
	c.all(n, func(l letter, said string, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		c.slowest = max(c.slowest, took)
		switch code := said[strings.LastIndexByte(said, ' ')+1:]; {
		case said == l.want:
			c.usual++
		case code[0] == '4':
			c.temporary++
		case code == "250" && c.subject.accepts:
			c.through++
		default:
			c.wrong = append(c.wrong, fmt.Sprintf("%s for %s, want %s", said, l.to, l.want))
		}
	})
}

// healthy sends messages and says what is not answered as usual.
func (c *cell) healthy(n int) string {
	var mu sync.Mutex
	var complaints []string
	c.all(n, func(l letter, said string, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if said != l.want {
			complaints = append(complaints, fmt.Sprintf("%s for %s, want %s", said, l.to, l.want))
		}
	})
	return strings.Join(complaints, "; ")
}

// recover waits until everything is answered as usual again.
func (c *cell) recover(begun time.Time) string {
	for {
		complaint := c.healthy(few)
		c.returned = time.Since(begun)
		if complaint == "" || c.returned > time.Minute {
			return complaint
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// all sends messages at once, each from a client of its own.
func (c *cell) all(n int, answered func(letter, string, time.Duration)) {
	var sending sync.WaitGroup
	var mu sync.Mutex
	deliver := func(l letter, client, id string) (string, time.Duration, error) { return send(c.mta.MX, client, l, id) }
	if c.subject.logins {
		deliver = func(l letter, client, _ string) (string, time.Duration, error) {
			return login(c.mta.Submission, client, l)
		}
	}
	for range n {
		l, id := c.subject.letter(c.sent), fmt.Sprintf("%s-%s-%d", c.subject.name, strings.ReplaceAll(c.fault.String(), " ", "-"), c.sent)
		client := fmt.Sprintf("127.0.%d.%d", 10+c.sent/200%200, 1+c.sent%200)
		c.sent++
		sending.Go(func() {
			said, took, err := deliver(l, client, id)
			if err != nil {
				said = err.Error() + " 000"
			}
			if said == "end 250" {
				mu.Lock()
				c.accepted[id] = true
				mu.Unlock()
			}
			answered(l, said, took)
		})
	}
	sending.Wait()
}

// count counts what the log says of backends that went and came back.
func (c *cell) count(m *testbed.Mailweir, from int) {
	c.gone, c.back = map[string]int{}, map[string]int{}
	for _, line := range m.Log.Lines()[from:] {
		entry, ok := testbed.ParseEntry(line)
		switch {
		case !ok:
		case strings.HasPrefix(entry["msg"], "backend unavailable"), strings.HasPrefix(entry["msg"], "Dovecot does not answer"):
			c.gone[entry["backend"]]++
		case entry["msg"] == "backend available again", entry["msg"] == "Dovecot answers again":
			c.back[entry["backend"]]++
		}
	}
}

// missing is how many messages the MTA took and has not delivered.
func (c *cell) missing() int {
	missing := func(messages []testbed.Message) int {
		there := map[string]bool{}
		for _, m := range messages {
			_, after, _ := strings.Cut(m.Data, "\nSubject: ")
			id, _, _ := strings.Cut(after, "\n")
			there[id] = true
		}
		n := 0
		for id := range c.accepted {
			if !there[id] {
				n++
			}
		}
		return n
	}
	messages, _ := c.mta.Sink.Wait(func(m []testbed.Message) bool { return missing(m) == 0 })
	c.mta.Sink.Clear()
	return missing(messages)
}

func total(of map[string]int) (n int) {
	for _, one := range of {
		n += one
	}
	return n
}

// row is the cell's line of the table.
func (c *cell) row() string {
	return fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %d | %.1f s | %d, %d | %.1f s |", c.subject.name, c.fault,
		c.usual, c.temporary, c.through, len(c.wrong), c.lost, c.slowest.Seconds(), total(c.gone), total(c.back), c.returned.Seconds())
}

// complaints are what must not be.
func (c *cell) complaints() []string {
	var list []string
	add := func(is bool, format string, args ...any) {
		if is {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	add(c.before != "", "before the fault: %s", c.before)
	add(c.after != "", "after the fault: %s", c.after)
	add(len(c.wrong) > 0, "%s", strings.Join(c.wrong, "; "))
	add(strings.Contains(c.mta.LogText(), "fatal:"), "a process of the MTA has died: see its log")
	add(c.lost > 0, "%d messages are lost", c.lost)
	add(c.slowest > c.subject.within, "an answer took %s, more than %s", c.slowest, c.subject.within)
	for backend, n := range c.gone {
		add(n != c.back[backend], "the log says %d times that %s has gone and %d times that it is back", n, backend, c.back[backend])
		add(n > 1 && c.fault.Kind != "slow", "the log says %d times that %s has gone", n, backend)
	}
	add(total(c.gone) == 0 && c.fault.Kind != "slow", "the log does not say that it has gone")
	return list
}
