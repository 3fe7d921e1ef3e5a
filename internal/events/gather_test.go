package events

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

// gathered is what a sum says of events.
func gathered(room int, list ...*policy.Event) *policy.Event {
	var g gathering
	for _, e := range list {
		g.add(e, &room)
	}
	sum := &policy.Event{Dedup: &policy.Dedup{}}
	g.into(sum)
	return sum
}

// At its bounds a sum has all, beyond them it counts.
func TestGatheringAtItsBounds(t *testing.T) {
	event := func(i int) *policy.Event {
		return &policy.Event{
			Cause: fmt.Sprint("c", i), Client: client(i), Sender: fmt.Sprintf("s%d@a.example", i), HasSender: true,
			Recipients: []string{fmt.Sprintf("r%d@b.example", i)}, Count: 1,
		}
	}
	var many []*policy.Event
	for i := range policy.MaxEventRecipients + 1 {
		many = append(many, event(i))
	}
	for _, tt := range []struct {
		n, causes, clients, senders, recipients int
	}{
		{1, 1, 0, 0, 1}, // one client and one sender stand in the event itself
		{2, 2, 2, 2, 2},
		{gatherCauses, gatherCauses, gatherCauses, gatherCauses, gatherCauses},
		{gatherCauses + 1, gatherCauses, gatherCauses + 1, gatherCauses + 1, gatherCauses + 1},
		{gatherClients, gatherCauses, gatherClients, gatherSenders, gatherClients},
		{gatherClients + 1, gatherCauses, gatherClients, gatherSenders, gatherClients + 1},
		{policy.MaxEventRecipients, gatherCauses, gatherClients, gatherSenders, policy.MaxEventRecipients},
		{policy.MaxEventRecipients + 1, gatherCauses, gatherClients, gatherSenders, policy.MaxEventRecipients},
	} {
		e := gathered(gatherOctets, many[:tt.n]...)
		if causes := len(strings.Split(e.Cause, "; ")); causes != tt.causes || len(e.Dedup.Clients) != tt.clients ||
			len(e.Dedup.Senders) != tt.senders || len(e.Recipients) != tt.recipients || e.Count != tt.n {
			t.Errorf("%d events: %d causes, %d clients, %d senders, %d recipients of %d", tt.n, causes, len(e.Dedup.Clients), len(e.Dedup.Senders), len(e.Recipients), e.Count)
		}
		if tt.n > 1 && (e.Dedup.ClientCount != tt.n || e.Dedup.SenderCount != tt.n) {
			t.Errorf("%d events: %d clients and %d senders are counted", tt.n, e.Dedup.ClientCount, e.Dedup.SenderCount)
		}
	}
}

// What has room to the last octet is kept, one octet less and it is counted.
func TestGatheringRoom(t *testing.T) {
	e := &policy.Event{Cause: "cc", Client: netip.MustParseAddr("192.0.2.1"), Sender: "s@a", HasSender: true, Recipients: []string{"r@bb"}, Count: 1}
	other := &policy.Event{Sender: "s@c", HasSender: true}
	if sum := gathered(2+4+3+3, e, other); sum.Cause != "cc" || len(sum.Recipients) != 1 || len(sum.Dedup.Senders) != 2 {
		t.Errorf("%+v, %+v", sum, sum.Dedup)
	}
	if sum := gathered(2+4+3+2, e, other); len(sum.Dedup.Senders) != 1 || sum.Dedup.SenderCount != 2 {
		t.Errorf("%+v, %+v", sum, sum.Dedup)
	}
}

// A check that fails in several ways says so, each way once and ten at most.
func TestGatheringErrors(t *testing.T) {
	var list []*policy.Event
	for i := range gatherCauses + 2 {
		e := &policy.Event{Err: fmt.Sprint("e", i)}
		list = append(list, e, e)
	}
	for n, want := range map[int]string{1: "e0", 2: "e0", 4: "e0; e1", len(list): "e0; e1; e2; e3; e4; e5; e6; e7; e8; e9"} {
		if got := gathered(gatherOctets, list[:n]...).Err; got != want {
			t.Errorf("%d events: %q, want %q", n, got, want)
		}
	}
	if got := gathered(3, list...).Err; got != "e0" {
		t.Errorf("with room for one: %q", got)
	}
	if got := gathered(gatherOctets, &policy.Event{}).Err; got != "" {
		t.Errorf("without any: %q", got)
	}
}
