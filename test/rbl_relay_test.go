package test

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"mailweir/test/testbed"
)

// relay stands between mailweir and a real resolver. It counts questions, and answers some late or
// never, which real servers won't do when they are asked to. UDP alone: no answer of these tests is
// too long for it.
type relay struct {
	address string
	server  string
	conn    net.PacketConn
	closing chan struct{}
	work    sync.WaitGroup

	mu    sync.Mutex
	asked []string // names in lower case
	open  map[dnsmessage.Question]int
	rules map[string]rule
}

// rule is about a name and all below it.
type rule struct {
	delay   time.Duration
	release <-chan struct{} // an answer waits for it; nil: at once
}

// silence is a rule under which nothing is ever answered.
var silence = rule{release: make(chan struct{})}

// startRelay relays to the resolver at address until the test ends.
func startRelay(t *testing.T, address string) *relay {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{address: conn.LocalAddr().String(), server: address, conn: conn, closing: make(chan struct{}), open: make(map[dnsmessage.Question]int), rules: make(map[string]rule)}
	r.work.Go(r.serve)
	t.Cleanup(func() {
		close(r.closing)
		_ = conn.Close()
		r.work.Wait()
	})
	return r
}

func (r *relay) serve() {
	for {
		packet := make([]byte, 4096)
		n, peer, err := r.conn.ReadFrom(packet)
		if err != nil {
			return // closed
		}
		r.work.Go(func() { r.question(packet[:n], peer) })
	}
}

// question passes one question on and its answer back.
func (r *relay) question(packet []byte, peer net.Addr) {
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || len(m.Questions) != 1 {
		return
	}
	rule, answered := r.note(m.Questions[0])
	defer answered()
	if !r.wait(rule) {
		return
	}
	conn, err := net.Dial("udp4", r.server)
	if err != nil {
		return
	}
	defer conn.Close()
	if conn.SetDeadline(time.Now().Add(testbed.Patience)) != nil {
		return
	}
	if _, err := conn.Write(packet); err != nil {
		return
	}
	answer := make([]byte, 4096)
	if n, err := conn.Read(answer); err == nil {
		_, _ = r.conn.WriteTo(answer[:n], peer)
	}
}

// note counts a question and finds its rule. One that is put again before it is answered, as on a
// busy machine, is still the same.
func (r *relay) note(q dnsmessage.Question) (found rule, answered func()) {
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	q.Name = dnsmessage.MustNewName(name + ".")
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open[q] == 0 {
		r.asked = append(r.asked, name)
	}
	r.open[q]++
	for under, rule := range r.rules {
		if name == under || strings.HasSuffix(name, "."+under) || strings.HasPrefix(name, under+".") {
			found = rule
			break
		}
	}
	return found, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.open[q]--
	}
}

// wait does what a rule says; false when the test has ended meanwhile.
func (r *relay) wait(rule rule) bool {
	if rule.delay > 0 {
		timer := time.NewTimer(rule.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.closing:
			return false
		}
	}
	if rule.release == nil {
		return true
	}
	select {
	case <-rule.release:
		return true
	case <-r.closing:
		return false
	}
}

// set gives a rule to all names that end, or begin, with these labels.
func (r *relay) set(labels string, rule rule) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rules[labels] = rule
}

// count is how often names were asked for that contain this.
func (r *relay) count(part string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, name := range r.asked {
		if strings.Contains(name, part) {
			n++
		}
	}
	return n
}
