package events

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"mailweir/internal/policy"
)

// What events that share an id keep of each other.
const (
	gatherCauses  = 10
	gatherClients = 100
	gatherSenders = 100
	gatherOctets  = 16 << 20 // of recipients, senders, causes and errors, in all sums that are open at once
)

// gathering is what several events have, each different value once. Beyond the bounds, what comes
// is counted each time.
type gathering struct {
	times      int
	last       time.Time
	causes     []string
	errors     []string
	recipients distinct[string]
	senders    distinct[string]
	clients    distinct[netip.Addr]
	octets     int // of recipients, senders, causes and errors
}

func (g *gathering) add(e *policy.Event, room *int) {
	g.times++
	g.last = e.Time
	g.causes = g.text(g.causes, e.Cause, room)
	g.errors = g.text(g.errors, e.Err, room)
	for _, r := range e.Recipients {
		g.recipients.add(r, policy.MaxEventRecipients, func() bool { return g.take(r, room) })
	}
	g.recipients.count += e.Count - len(e.Recipients)
	if e.HasSender {
		g.senders.add(e.Sender, gatherSenders, func() bool { return g.take(e.Sender, room) })
	}
	if e.Client.IsValid() {
		g.clients.add(e.Client, gatherClients, func() bool { return true })
	}
}

// text adds one of a few texts to those that are known.
func (g *gathering) text(known []string, text string, room *int) []string {
	if text == "" || len(known) >= gatherCauses || slices.Contains(known, text) || !g.take(text, room) {
		return known
	}
	return append(known, text)
}

// take reports whether there is room to keep a text.
func (g *gathering) take(text string, room *int) bool {
	if len(text) > *room {
		return false
	}
	*room -= len(text)
	g.octets += len(text)
	return true
}

// into writes what all have into the event that stands for them.
func (g *gathering) into(e *policy.Event) {
	if len(g.causes) > 0 {
		e.Cause = strings.Join(g.causes, "; ")
	}
	if len(g.errors) > 0 {
		e.Err = strings.Join(g.errors, "; ")
	}
	e.Recipients, e.Count = g.recipients.list, g.recipients.count
	if g.senders.count > 1 {
		e.Dedup.Senders, e.Dedup.SenderCount = g.senders.list, g.senders.count
	}
	if g.clients.count > 1 {
		e.Dedup.Clients, e.Dedup.ClientCount = g.clients.list, g.clients.count
	}
}

// distinct are different values in the order in which they came, the first of them, and how many
// there are.
type distinct[T comparable] struct {
	list  []T
	known map[T]struct{}
	count int
}

// add counts a value that is not in the list, and keeps it if there is room.
func (d *distinct[T]) add(value T, limit int, room func() bool) {
	if _, is := d.known[value]; is {
		return
	}
	d.count++
	if len(d.list) >= limit || !room() {
		return
	}
	if d.known == nil {
		d.known = map[T]struct{}{}
	}
	d.known[value] = struct{}{}
	d.list = append(d.list, value)
}
