package policytest

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"mailweir/internal/dns"
	"mailweir/internal/dns/dnstest"
	"mailweir/rbl"
)

// Names is what a name server on loopback knows of names below example: "NAME A" or "NAME TXT",
// NAME without its final dot. The answer "fail" is SERVFAIL; a name that is not there does not
// exist.
type Names map[string]string

// Serve answers from the names until the test ends, and returns a resolver that asks them. asked
// returns the questions.
func (n Names) Serve(t *testing.T) (resolver *dns.Resolver, lists *rbl.Lists, asked func() []string) {
	t.Helper()
	var mu sync.Mutex
	var questions []string
	server := dnstest.New(t)
	server.Set("example", func(key string, m *dnstest.Msg, _ bool) [][]byte {
		question := key + ".example TXT"
		if dnstest.Asks(m, "A") {
			question = key + ".example A"
		}
		mu.Lock()
		questions = append(questions, question)
		mu.Unlock()
		return dnstest.One(n.answer(question, m))
	})
	resolver, err := dns.NewResolver(dns.ResolverOptions{Servers: []string{server.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	lists = rbl.NewLists(resolver, rbl.ListsOptions{})
	t.Cleanup(func() {
		lists.Close()
		resolver.Close()
	})
	return resolver, lists, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(questions)
	}
}

func (n Names) answer(question string, m *dnstest.Msg) *dnstest.Msg {
	value, known := n[question]
	switch {
	case value == "fail":
		return dnstest.Rcode(m, dnstest.ServerFailure)
	case !known:
		return dnstest.NX(m)
	case strings.HasSuffix(question, " A"):
		return dnstest.Has(m, "60", "A "+value)
	}
	return dnstest.Has(m, "60", "TXT "+quoted(value))
}

// quoted writes a text as a zone file has it.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
