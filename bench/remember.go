package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/test/testbed"
)

// The population of the part remember. Every correspondent has a net and a domain of his own, which
// is the most that so many can make a store remember.
const (
	rememberUsers  = 250
	correspondents = 20 // of each user
)

// remembering has every check that remembers by itself do so. A mail that waits passes when it
// comes again.
var remembering = []string{"--greylist=enforce", "--greylist-delay=0s", "--local-domains=inline:{recipient.example=x}"}

// remember prints what is remembered of users: rows and octets of each space.
func (b *bench) remember() error {
	h := b.Part()
	defer h.Close()
	server := testbed.StartRedis(h)
	store, err := state.OpenRedis(context.Background(), "redis://"+server.Address, state.Options{})
	if err != nil {
		return err
	}
	h.Cleanup(func() { _ = store.Close() })
	before, err := usedMemory(server)
	if err != nil {
		return err
	}
	if err := playPopulation(store); err != nil {
		return err
	}
	after, err := usedMemory(server)
	if err != nil {
		return err
	}
	stats, err := store.Stats(context.Background())
	if err != nil {
		return err
	}
	fmt.Printf("What is remembered of a thousand users on Redis; each has %d correspondents, each from a net of his own, who write twice and are "+
		"answered (measured with %d users):\n\n", correspondents, rememberUsers)
	row("space", "rows", "octets", "octets a row")
	row("---", "--:", "--:", "--:")
	perThousand := func(n int64) int64 { return n * 1000 / rememberUsers }
	for _, s := range stats.Spaces {
		octets, err := spaceMemory(server, s.Space)
		if err != nil {
			return err
		}
		row(s.Space, perThousand(s.Rows), perThousand(octets), octets/max(s.Rows, 1))
	}
	row("all of the server", "", perThousand(after-before), "")
	fmt.Println()
	return nil
}

// playPopulation has all correspondents write, write again and be answered. What is learned from
// all of one kind is written before the next.
func playPopulation(store state.Store) error {
	for _, play := range []func(*wholePolicy, triplet) error{writes, writes, isAnswered} {
		p, err := openPolicy(store, remembering...)
		if err != nil {
			return err
		}
		for i := range rememberUsers * correspondents {
			if err := play(p, correspondent(i)); err != nil {
				return errors.Join(err, fmt.Errorf("correspondent %d", i))
			}
		}
		p.close()
	}
	return nil
}

func correspondent(i int) triplet {
	return triplet{
		client:    netip.AddrFrom4([4]byte{byte(20 + i>>16), byte(i >> 8), byte(i), 7}),
		sender:    fmt.Sprintf("%s@sender%d.example", lettersOf(uint64(i)), i),
		recipient: fmt.Sprintf("user%d@recipient.example", i/correspondents),
	}
}

func writes(w *wholePolicy, t triplet) error {
	_, _, err := w.decide(t)
	return err
}

// isAnswered has the user write to a correspondent.
func isAnswered(w *wholePolicy, t triplet) error {
	s := w.runner.NewSession()
	defer s.Close()
	s.Connect(policy.ConnectFacts{Client: netip.MustParseAddr("192.0.2.7"), Port: 25252, DaemonName: "587"})
	s.Helo(policy.HeloFacts{Name: "desk.recipient.example"})
	s.Mail(policy.MailFacts{Sender: t.recipient, Login: t.recipient, AuthType: "PLAIN"})
	if a := s.Rcpt(policy.RcptFacts{Recipient: t.sender, Spelling: "<" + t.sender + ">"}); a.Refuses() {
		return fmt.Errorf("the answer to a correspondent: %s", a.Line)
	}
	s.Header(policy.Field{Name: "Subject", Value: "bench"}, "4BpXyz1Qw3z9rTk")
	s.EndOfHeaders()
	if a := s.EndOfMessage("4BpXyz1Qw3z9rTk"); a.Refuses() {
		return fmt.Errorf("the end of an answer: %s", a.Line)
	}
	return nil
}

// usedMemory is what the server has allocated.
func usedMemory(server *testbed.Redis) (int64, error) {
	text, err := server.Ask("INFO", "memory")
	return infoOf(text, "used_memory:"), err
}

// spaceMemory is what the server's keys of a space take.
func spaceMemory(server *testbed.Redis, space string) (sum int64, err error) {
	for bucket := range 16 {
		for _, kind := range []string{"rows", "ends", "names"} {
			text, err := server.Ask("MEMORY", "USAGE", fmt.Sprintf("{mailweir:%d}%s:%s", bucket, kind, space), "SAMPLES", "0")
			if err != nil {
				return 0, err
			}
			sum += infoOf(text, "")
		}
	}
	return sum, nil
}
