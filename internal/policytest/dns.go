package policytest

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"mailweir/internal/dns"
	"mailweir/rbl"
)

// Names is what a name server on loopback knows: "NAME A" or "NAME TXT", NAME without its final
// dot. The answer "fail" is SERVFAIL; a name that is not there does not exist.
type Names map[string]string

// Serve answers from the names until the test ends, and returns a resolver that asks them. asked
// returns the questions.
func (n Names) Serve(t *testing.T) (resolver *dns.Resolver, lists *rbl.Lists, asked func() []string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var questions []string
	var serving sync.WaitGroup
	serving.Go(func() {
		buffer := make([]byte, 4096)
		for {
			size, peer, err := conn.ReadFrom(buffer)
			if err != nil {
				return // closed
			}
			question, answer := n.answer(buffer[:size])
			mu.Lock()
			questions = append(questions, question)
			mu.Unlock()
			if _, err := conn.WriteTo(answer, peer); err != nil {
				return
			}
		}
	})
	if resolver, err = dns.NewResolver(dns.ResolverOptions{Servers: []string{conn.LocalAddr().String()}}); err != nil {
		t.Fatal(err)
	}
	lists = rbl.NewLists(resolver, rbl.ListsOptions{})
	t.Cleanup(func() {
		lists.Close()
		resolver.Close()
		_ = conn.Close()
		serving.Wait()
	})
	return resolver, lists, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), questions...)
	}
}

func (n Names) answer(packet []byte) (question string, answer []byte) {
	var m dnsmessage.Message
	if err := m.Unpack(packet); err != nil || len(m.Questions) != 1 {
		return "", packet
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	question = name + " " + strings.TrimPrefix(q.Type.String(), "Type")
	header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET, TTL: 60}
	value, known := n[question]
	switch {
	case value == "fail":
		m.RCode = dnsmessage.RCodeServerFailure
	case !known:
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: netip.MustParseAddr(value).As4()}}}
	default:
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.TXTResource{TXT: []string{value}}}}
	}
	packed, err := m.Pack()
	if err != nil {
		panic(err) // a mistake in the test's names
	}
	return question, packed
}
