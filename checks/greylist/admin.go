package greylist

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/entry"
	"mailweir/internal/state"
)

// Row is one triplet that greylisting remembers, or with a net alone a client that is known.
type Row struct {
	Net       string `json:"net"`
	Sender    string `json:"sender,omitempty"`
	Recipient string `json:"recipient,omitempty"`
	// State is "known", "waiting", "waiting, retried", or "client, N passed".
	State string `json:"state"`
	// Since is when what waits was seen first, and when what is known passed.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Note tells who let it pass, and why.
	Note string `json:"note,omitempty"`
}

// Filter chooses triplets. What is empty chooses all.
type Filter struct {
	Client    string `json:"client,omitempty"` // an address, or a net as it is shown
	Sender    string `json:"sender,omitempty"` // <> for the null sender
	Recipient string `json:"recipient,omitempty"`
	// Nets and Delimiter are those of the policy, by which addresses become keys.
	Nets      Nets   `json:"nets"`
	Delimiter string `json:"delimiter,omitempty"`
}

// normal returns the filter as parts of keys, or says what is wrong with it.
func (f Filter) normal() (t triplet, err error) {
	switch client, failure := netip.ParseAddr(f.Client); {
	case f.Client == "" || f.Client == "unknown":
		t.net = f.Client
	case failure == nil:
		t.net = f.Nets.of(client)
	default:
		net, err := netip.ParsePrefix(f.Client)
		if err != nil {
			return t, fmt.Errorf("%q is neither an address nor a net such as 192.0.2.0/24", f.Client)
		}
		// Keys have nets of one length. A part of such a net is remembered as the whole.
		if wanted := f.Nets.bits(net.Addr()); net.Bits() < wanted {
			return t, fmt.Errorf("%s is wider than the nets that are remembered: give a /%d in it, or an address", f.Client, wanted)
		}
		t.net = f.Nets.of(net.Addr())
	}
	if f.Sender != "" {
		t.sender = senderKey(address.Parse(f.Sender))
	}
	if f.Recipient != "" {
		t.recipient = address.Parse(f.Recipient).Base(f.Delimiter).Key()
	}
	return t, nil
}

// Validate says what is wrong with the filter.
func (f Filter) Validate() error {
	_, err := f.normal()
	return err
}

// chooses reports whether a triplet is among those of the filter.
func (t triplet) chooses(other triplet) bool {
	return (t.net == "" || t.net == other.net) && (t.sender == "" || t.sender == other.sender) && (t.recipient == "" || t.recipient == other.recipient)
}

// space is how the triplets of one space are found and shown.
type space struct {
	prefix string
	read   func(key string) (triplet, bool)
	row    func(triplet, state.Entry) (Row, bool)
}

// spaces are those that the filter chooses from; the prefix is as long as the filter allows.
func (t triplet) spaces() []space {
	return []space{
		{prefixOf(clientSpace), clientOf, clientRow},
		{prefixOf(knownSpace, t.net, t.sender, t.recipient), knownOf, knownRow},
		{prefixOf(pendingSpace, t.sender, t.recipient, t.net), pendingOf, pendingRow},
	}
}

// prefixOf makes a prefix of the first parts that are there. One of all parts would name no
// entries.
func prefixOf(space string, parts ...string) string {
	n := 0
	for n < len(parts)-1 && parts[n] != "" {
		n++
	}
	return state.Prefix(space, parts[:n]...)
}

func clientOf(key string) (triplet, bool) {
	_, parts := state.Parts(key)
	return triplet{net: parts[0]}, len(parts) == 1
}

func clientRow(t triplet, e state.Entry) (Row, bool) {
	_, note, _ := strings.Cut(string(e.Value), " ")
	return Row{Net: t.net, State: fmt.Sprintf("client, %d passed", passCount(e.Value)), Until: e.Until, Note: note}, true
}

func knownRow(t triplet, e state.Entry) (Row, bool) {
	first, note, _ := strings.Cut(string(e.Value), " ")
	since, _ := time.Parse(pendingTime, first) // the zero time where it is not readable
	return Row{Net: t.net, Sender: t.sender, Recipient: t.recipient, State: "known", Since: since, Until: e.Until, Note: note}, true
}

// pendingRow leaves out what has passed: it is among the known.
func pendingRow(t triplet, e state.Entry) (Row, bool) {
	p, readable := readPending(e.Value)
	row := Row{Net: t.net, Sender: t.sender, Recipient: t.recipient, State: "waiting", Since: p.first, Until: e.Until.Add(-grace)}
	if p.retried {
		row.State = "waiting, retried"
	}
	return row, readable && !p.passed
}

// pageSize is how many entries are read at once.
const pageSize = 1000

// each calls visit for every entry that the filter chooses, until it returns false.
func (t triplet) each(ctx context.Context, store state.Store, visit func(triplet, state.Entry, space) (bool, error)) error {
	for _, space := range t.spaces() {
		for last := ""; ; {
			page, err := store.List(ctx, space.prefix, last, pageSize)
			if err != nil {
				return err
			}
			for _, e := range page {
				last = e.Key
				found, ok := space.read(e.Key)
				if !ok || !t.chooses(found) {
					continue
				}
				if goOn, err := visit(found, e, space); err != nil || !goOn {
					return err
				}
			}
			if len(page) < pageSize {
				break
			}
		}
	}
	return nil
}

// Show returns up to limit rows that the filter chooses: clients, then what is known, then what
// waits.
func Show(ctx context.Context, store state.Store, f Filter, limit int) (rows []Row, err error) {
	t, err := f.normal()
	if err != nil {
		return nil, err
	}
	err = t.each(ctx, store, func(found triplet, e state.Entry, space space) (bool, error) {
		if row, ok := space.row(found, e); ok {
			rows = append(rows, row)
		}
		return len(rows) < limit, nil
	})
	return rows, err
}

// Pass makes known, for the time that known triplets are kept: all that waits and that the filter
// chooses; the triplet itself when client, sender and recipient are given; the client's net as a
// whole when only the client is. It returns how many.
func Pass(ctx context.Context, store state.Store, by entry.Origin, keep time.Duration, passes int, f Filter) (n int, err error) {
	t, err := f.normal()
	if err != nil {
		return 0, err
	}
	by = by.Clean()
	value := []byte(by.At.UTC().Format(pendingTime) + " " + by.String())
	know := func(found triplet) error {
		n++
		_, err := store.Do(ctx, state.Put(found.knownKey(), value, keep).Entered())
		return err
	}
	switch {
	case t.net != "" && t.sender != "" && t.recipient != "":
		return n, know(t)
	case t.net != "" && t.sender == "" && t.recipient == "":
		n++
		if _, err := store.Do(ctx, state.Put(clientPassesKey(t.net), []byte(strconv.Itoa(max(passes, 1))+" "+by.String()), keep).Entered()); err != nil {
			return 0, err
		}
	}
	err = t.each(ctx, store, func(found triplet, e state.Entry, _ space) (bool, error) {
		p, ok := readPending(e.Value)
		if !strings.HasPrefix(e.Key, state.Prefix(pendingSpace)) || !ok || p.passed {
			return true, nil
		}
		p.passed = true
		if _, err := store.Do(ctx, state.Swap(e.Key, e.Value, p.value(), e.Until.Sub(by.At))); err != nil {
			return false, err
		}
		return true, know(found)
	})
	return n, err
}

// Flush forgets what the filter chooses, and returns how many rows that were. Clients that are
// known as a whole are among them when neither sender nor recipient is given.
func Flush(ctx context.Context, store state.Store, f Filter) (n int, err error) {
	t, err := f.normal()
	if err != nil {
		return 0, err
	}
	var steps []state.Step
	forget := func() error {
		gone, err := store.Do(ctx, steps...)
		for _, one := range gone {
			if one.Done {
				n++
			}
		}
		steps = steps[:0]
		return err
	}
	err = t.each(ctx, store, func(_ triplet, e state.Entry, _ space) (bool, error) {
		if steps = append(steps, state.Delete(e.Key).Entered()); len(steps) < pageSize {
			return true, nil
		}
		return true, forget()
	})
	if err == nil && len(steps) > 0 {
		err = forget()
	}
	return n, err
}
