package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/internal/trace"
	"mailweir/test/testbed"
)

// Decisions of the part record: at that rate, and with names of so many people.
const (
	recordRate    = 2000
	recordPeople  = 10_000
	recordDomains = 20_000
)

// record measures what it costs to keep decisions in files, and how fast they are found.
func (b *bench) record() error {
	if err := b.recordSteady(); err != nil {
		return err
	}
	if err := b.recordBeside(); err != nil {
		return err
	}
	return b.recordFound()
}

// decisions makes decisions of random people.
type decisions struct{ *rand.Rand }

func newDecisions() decisions { return decisions{rand.New(rand.NewPCG(1, 2))} }

// next is one at a time: one of ten is a message that was accepted.
func (d decisions) next(at time.Time) record.Entry {
	client := netip.AddrFrom4([4]byte{198, byte(18 + d.IntN(2)), byte(d.IntN(256)), byte(d.IntN(256))})
	sender := fmt.Sprintf("user%d@domain%d.example", d.IntN(100), d.IntN(recordDomains))
	recipient := fmt.Sprintf("user%d@example.org", d.IntN(recordPeople))
	session := policy.NewID()
	if d.IntN(10) == 0 {
		return record.Entry{Message: &policy.Transaction{
			Version: 1, Begun: at, Ended: at, Host: "mx1.example.org", Session: session, Number: 1, Service: policy.MX, Client: client,
			ClientName: "mail.else.example", Helo: "mail.else.example", Sender: sender, RecipientCount: 1, QueueID: policy.NewID(),
			MessageID: "<" + policy.NewID() + "@else.example>", Octets: 8192,
			Recipients: []policy.RecipientOutcome{{Recipient: recipient, Direction: "inbound"}},
		}}
	}
	return record.Entry{Event: &policy.Event{
		Version: 1, ID: "mw-" + policy.NewID(), Time: at, Host: "mx1.example.org", Check: "rbl", Mode: policy.Enforce, Stage: policy.StageConnect,
		AnsweredAt: policy.StageRcpt, Action: policy.ActionRefused, Reply: "rbl", Row: "P11", Cause: "zen.example: 127.0.0.2", Session: session,
		Transaction: 1, Client: client, ClientName: "mail.else.example", Helo: "mail.else.example", Service: policy.MX, Sender: sender, HasSender: true,
		Recipients: []string{recipient}, Count: 1, Direction: "inbound",
		Trace: []trace.Query{
			{Question: "A 2.0.18.198.zen.example", Answer: "127.0.0.2"},
			{Question: "TXT 2.0.18.198.zen.example", Answer: "https://list.example/query/ip/198.18.0.2"},
			{Question: "SPF domain.example from 198.18.0.2", Answer: "softfail"},
		},
	}}
}

// nowhere is a store that keeps nothing: what the bench itself costs.
type nowhere struct{ record.Store }

func (nowhere) Write(context.Context, []record.Entry, []record.Change) error { return nil }
func (nowhere) Retain(context.Context, time.Time) error                      { return nil }
func (nowhere) Close() error                                                 { return nil }

// recordSteady gives a sink decisions at a steady rate.
func (b *bench) recordSteady() error {
	h := b.Part()
	defer h.Close()
	store, err := files.Open(context.Background(), testbed.TempDir(h), files.Options{})
	if err != nil {
		return err
	}
	bare, _, err := b.steady(nowhere{})
	if err != nil {
		return err
	}
	cost, dropped, err := b.steady(store)
	if err != nil {
		return err
	}
	fmt.Printf("%d decisions a second for %v: %.0f µs of CPU each (besides %.0f of the bench), %d dropped.\n\n", recordRate, b.recordFor, cost-bare, bare, dropped)
	return nil
}

// steady returns microseconds of CPU a decision, and how many were dropped. It closes the store.
func (b *bench) steady(store record.Store) (cost float64, dropped uint64, err error) {
	log := logrus.New()
	log.SetOutput(io.Discard)
	sink := record.NewSink(store, record.SinkOptions{Log: log})
	d, n := newDecisions(), 0
	began, cpu := time.Now(), ownCPU()
	for elapsed := time.Duration(0); elapsed < b.recordFor; elapsed = time.Since(began) {
		for ; n < int(elapsed.Seconds()*recordRate); n++ {
			if e := d.next(time.Now()); e.Event != nil {
				sink.Event(e.Event)
			} else {
				sink.Transaction(e.Message)
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	err = sink.Close()
	stats := sink.Stats()
	return float64((ownCPU() - cpu).Microseconds()) / float64(n), stats.DroppedDecisions + stats.DroppedMessages, err
}

// recordBeside measures how long messages take with a record and without one, by turns.
func (b *bench) recordBeside() error {
	h := b.Part()
	defer h.Close()
	names := testbed.StartNameServer(h, testbed.NameServerConfig{})
	places := []string{"off", "file:" + testbed.TempDir(h) + "/record"}
	took := make([][]float64, len(places))
	loads := make([]load, len(places))
	for i, place := range places {
		m := testbed.StartMailweir(h, testbed.MailweirConfig{
			Binary: b.program(contender{}), Flags: []string{"--record=" + place, "--local-domains=inline:{example.org=x}", "--dns=" + names.Address},
		})
		loads[i] = load{socket: m.Socket, connections: 1, letters: usualLetters(1, bodySize), people: people}
	}
	for range b.rounds {
		for i, l := range loads {
			for end := time.Now().Add(b.duration); time.Now().Before(end); {
				began := time.Now()
				if err := l.once(); err != nil {
					return err
				}
				took[i] = append(took[i], time.Since(began).Seconds()*1e6)
			}
		}
	}
	fmt.Print("A connection with one message, one after the other, in turns:\n\n")
	row("--record", "messages", "p50 µs", "p99 µs")
	row("---", "--:", "--:", "--:")
	for i, place := range []string{"off", "file"} {
		slices.Sort(took[i])
		row(place, len(took[i]), quantile(took[i], 0.5), quantile(took[i], 0.99))
	}
	fmt.Println()
	return nil
}

// quantile is one of sorted figures.
func quantile(sorted []float64, q float64) string {
	return fmt.Sprintf("%.0f", sorted[min(int(q*float64(len(sorted))), len(sorted)-1)])
}
