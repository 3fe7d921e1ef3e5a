package hosts

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"mailweir/test/testbed"
)

// loadClients is how many clients send to each host at once.
const loadClients = 16

// load is innocent mail: each client sends a message again until it is taken, and then the next
// one, with a sender of its own.
type load struct {
	stop    chan struct{}
	clients sync.WaitGroup

	mu     sync.Mutex
	taken  map[*host]int
	faults []string // answers that no innocent should get
}

// startLoad begins to send to the hosts.
func startLoad(hosts ...*host) *load {
	l := &load{stop: make(chan struct{}), taken: map[*host]int{}}
	for _, h := range hosts {
		for n := range loadClients {
			l.clients.Go(func() { l.client(h, n) })
		}
	}
	return l
}

// client sends one message after the other. Every answer has to come within testbed.Patience.
func (l *load) client(h *host, n int) {
	from := fmt.Sprintf("127.100.%d.%d", n, h.name[0])
	for number := 0; ; {
		select {
		case <-l.stop:
			return
		default:
		}
		sender := fmt.Sprintf("%s%d.%d@innocent.example", h.name, n, number)
		answer, err := h.try(from, sender, "bob@example.org")
		if l.heard(h, answer, err) {
			number++
		}
	}
}

// heard notes an answer, and tells whether the message was taken.
func (l *load) heard(h *host, answer string, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.faults = append(l.faults, err.Error())
	case strings.HasPrefix(answer, taken):
		l.taken[h]++
		return true
	case !strings.HasPrefix(answer, greylisted):
		l.faults = append(l.faults, fmt.Sprintf("host %s: %q", h.name, answer))
	}
	return false
}

// more waits until each host has taken so many more messages.
func (l *load) more(t *testing.T, n int) {
	t.Helper()
	l.mu.Lock()
	goal := map[*host]int{}
	for h, taken := range l.taken {
		goal[h] = taken + n
	}
	l.mu.Unlock()
	err := testbed.Until(func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for h, want := range goal {
			if l.taken[h] < want {
				return fmt.Errorf("host %s has taken %d messages, want %d; answers that nobody should get: %q", h.name, l.taken[h], want, l.faults)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// end stops the clients. Nobody must have been refused, or left without an answer, and what was
// taken must arrive.
func (l *load) end(t *testing.T) {
	t.Helper()
	close(l.stop)
	l.clients.Wait()
	for _, fault := range l.faults {
		t.Error("an innocent hears:", fault)
	}
	for h, want := range l.taken {
		arrived := 0
		if _, err := h.mta.Sink.Wait(func(all []testbed.Message) bool {
			arrived = innocents(all)
			return arrived >= want
		}); err != nil || arrived != want {
			t.Errorf("host %s has taken %d messages, %d arrived: %v", h.name, want, arrived, err)
		}
		t.Logf("host %s took %d messages", h.name, want)
		h.onlyGreylisted(t)
	}
}

func innocents(all []testbed.Message) (n int) {
	for _, m := range all {
		if strings.HasSuffix(m.From, "@innocent.example") {
			n++
		}
	}
	return n
}

// onlyGreylisted looks through the log for what any other check has held against an innocent.
func (h *host) onlyGreylisted(t *testing.T) {
	t.Helper()
	for _, e := range h.mailweir.Entries() {
		word, _, _ := strings.Cut(e["msg"], " ×") // many at once share a line
		if word != "check_error" && e["event"] != "" && e["check"] != "greylist" && strings.Contains(e["sender"], "@innocent.example>") {
			t.Errorf("host %s: %s", h.name, e)
		}
	}
}
