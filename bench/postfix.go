package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailweir/test/testbed"
)

// mailRoute is a Postfix of its own with or without a milter, and its messages a second.
type mailRoute struct {
	milter, socket string // socket is "unix" or "inet", "" without a milter
	mta            *testbed.MTA
	single, many   sample // with one message a connection, with many
}

// Milters of the part postfix beside mailweir's.
const (
	noMilter  = "no milter"
	endFilter = "C filter, end of message only"
	allFilter = "C filter, every callback"
	ourMilter = "mailweir, default policy"
)

// postfix measures smtp-source → smtpd → discard.
func (b *bench) postfix() error {
	fmt.Printf("Through Postfix (smtp-source, 20 sessions at once, 8 KiB, delivery to discard; median of %d rounds of %d messages):\n\n",
		b.rounds, b.messages)
	row("milter", "socket", "messages/s, one a connection", "of none", "messages/s, many a connection", "of none")
	row("---", "---", "--:", "--:", "--:", "--:")
	h := b.Part()
	defer h.Close()
	routes := b.mailRoutes(h)
	if err := b.mailTurns(routes, b.rounds, b.messages); err != nil {
		return err
	}
	none := routes[0]
	for _, r := range routes {
		row(r.milter, r.socket, r.single, r.single.against(none.single), r.many, r.many.against(none.many))
	}
	fmt.Println()
	return nil
}

// postfixAims are Postfix's rate with mailweir, of that without a milter and of that with the C
// filter that has every callback.
func (b *bench) postfixAims() ([]aim, error) {
	h := b.Part()
	defer h.Close()
	routes := b.mailRoutes(h)
	if !slices.ContainsFunc(routes, isOurs) {
		return nil, nil
	}
	// Postfix by itself differs from round to round by more than the milters do.
	if err := b.mailTurns(routes, 2*b.rounds, b.messages/2); err != nil {
		return nil, err
	}
	return aimsOfRoutes(routes), nil
}

// isOurs tells whether a route is through the program that is measured; -mailweir=none has none.
func isOurs(r *mailRoute) bool { return r.milter == ourMilter }

// aimsOfRoutes are the aims of routes of which some are ours.
func aimsOfRoutes(routes []*mailRoute) (aims []aim) {
	for _, kind := range []struct {
		name  string
		least float64
		of    func(*mailRoute) sample
	}{
		{"one", 0.85, func(r *mailRoute) sample { return r.single }},
		{"many", 0.75, func(r *mailRoute) sample { return r.many }},
	} {
		for _, socket := range []string{"unix", "inet"} {
			read := func(milter string) reading {
				i := slices.IndexFunc(routes, func(r *mailRoute) bool {
					return r.milter == milter && (r.socket == socket || r.socket == "")
				})
				return reading{milter, "messages/s", kind.of(routes[i])}
			}
			of := []reading{read(ourMilter), read(noMilter), read(endFilter), read(allFilter)}
			what := fmt.Sprintf("Postfix's rate over %s, %s a connection: of ", socket, kind.name)
			aims = append(aims,
				aim{What: what + noMilter, Bound: atLeast(kind.least, ""), Got: of[0].Rounds.over(of[1].Rounds), Of: of},
				aim{What: what + allFilter, Bound: atLeast(1, ""), Got: of[0].Rounds.over(of[3].Rounds), Of: of})
		}
	}
	return aims
}

// mailRoutes starts all of them; the first has no milter.
func (b *bench) mailRoutes(h testbed.TB) []*mailRoute {
	routes := []*mailRoute{{milter: noMilter, mta: testbed.StartPostfix(h, testbed.MTAConfig{NoMilter: true, Discard: true})}}
	add := func(milter string, start func(unix, inet string)) {
		unix := testbed.StartPostfix(h, testbed.MTAConfig{Discard: true})
		address := testbed.FreeAddress(h)
		inet := testbed.StartPostfix(h, testbed.MTAConfig{NoMilter: true, Discard: true, Extra: "smtpd_milters = inet:" + address})
		start(unix.Milter, address)
		routes = append(routes, &mailRoute{milter: milter, socket: "unix", mta: unix}, &mailRoute{milter: milter, socket: "inet", mta: inet})
	}
	cFilter := func(args ...string) func(unix, inet string) {
		return func(unix, inet string) {
			testbed.StartNoop(h, b.noop, unix, args...)
			testbed.StartNoop(h, b.noop, inet, args...)
		}
	}
	add(endFilter, cFilter("end"))
	add(allFilter, cFilter())
	for _, c := range b.contenders {
		if !strings.HasSuffix(c.name, ourMilter) {
			continue
		}
		add(c.String(), func(unix, inet string) {
			testbed.StartMailweir(h, testbed.MailweirConfig{
				Binary: b.program(c), Socket: unix, Flags: append(slices.Clone(c.flags), "--listen=unix:"+unix, "--listen=inet:"+inet),
			})
		})
	}
	return routes
}

// mailTurns lets the routes take turns, with both kinds of connections in each turn.
func (b *bench) mailTurns(routes []*mailRoute, rounds, messages int) error {
	for range rounds {
		for _, r := range routes {
			many, err := source(r.mta, messages, "-d")
			if err != nil {
				return fmt.Errorf("%s: %w", r.milter, err)
			}
			single, err := source(r.mta, messages)
			if err != nil {
				return fmt.Errorf("%s: %w", r.milter, err)
			}
			r.single, r.many = append(r.single, single), append(r.many, many)
		}
	}
	return nil
}

// source sends the messages of one round and returns messages a second. With "-d" smtp-source keeps
// its connections.
func source(m *testbed.MTA, messages int, options ...string) (float64, error) {
	args := append(options, "-s", "20", "-m", strconv.Itoa(messages), "-l", strconv.Itoa(bodySize),
		"-f", "alice@example.net", "-t", "bob@example.org", m.MX)
	begun := time.Now()
	if out, err := exec.Command("smtp-source", args...).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("smtp-source: %w: %s", err, out)
	}
	return float64(messages) / time.Since(begun).Seconds(), nil
}
