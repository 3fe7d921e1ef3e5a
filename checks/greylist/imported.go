package greylist

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// Imported is a part of what another greylisting program remembers, for the operation of the name
// [Import]. Programs that knew senders without their extension have them here so.
type Imported struct {
	// IPv4 and IPv6 are the lengths of the nets by which it knew clients.
	IPv4     int               `json:"ipv4"`
	IPv6     int               `json:"ipv6"`
	Triplets []ImportedTriplet `json:"triplets,omitempty"`
	Clients  []ImportedClient  `json:"clients,omitempty"`
}

// ImportedTriplet is mail that it knew, or that it had come back later.
type ImportedTriplet struct {
	Client    netip.Addr `json:"client"` // an address of the net
	Sender    string     `json:"sender"` // "" for the null sender
	Recipient string     `json:"recipient"`
	// Passed says that the mail has come back in time; else it waits since First.
	Passed bool      `json:"passed,omitempty"`
	First  time.Time `json:"first"`
	// Until is when it would have forgotten the triplet.
	Until time.Time `json:"until"`
}

// ImportedClient is a client from which triplets have passed.
type ImportedClient struct {
	Client netip.Addr `json:"client"`
	// Passes is how many have, Known that it took the client for known as a whole.
	Passes int       `json:"passes"`
	Known  bool      `json:"known,omitempty"`
	Until  time.Time `json:"until"`
}

// ImportCount is what came of it. What had ended already is only counted; what is known longer here
// stays as it is.
type ImportCount struct {
	Known   int `json:"known"`
	Waiting int `json:"waiting"`
	Clients int `json:"clients"`
	Ended   int `json:"ended"`
}

// Add adds what came of another part.
func (n *ImportCount) Add(other ImportCount) {
	n.Known += other.Known
	n.Waiting += other.Waiting
	n.Clients += other.Clients
	n.Ended += other.Ended
}

func (n ImportCount) String() string {
	return fmt.Sprintf("triplets known %d, waiting %d; clients %d; ended before %d", n.Known, n.Waiting, n.Clients, n.Ended)
}

// Import is the verb of the operation that takes [Imported] over, [ImportPart] how many triplets
// and clients one request of it has at most.
const (
	Import     = "import"
	ImportPart = 400
)

func (o *options) importOperation() policy.Operation {
	about := policy.About{Name: Import, Effect: policy.Changes, ByFlags: true, Hidden: true}
	return policy.NewOperation(about, func(*policy.Flags) func([]string) (Imported, error) {
		return func([]string) (Imported, error) { return Imported{}, nil }
	}, o.takeOver, nil)
}

// takeOver remembers what another program knew, as if its mail had come here.
func (o *options) takeOver(ctx context.Context, c *policy.Call, in Imported) (n ImportCount, err error) {
	if *o.ipv4 > in.IPv4 || *o.ipv6 > in.IPv6 {
		return n, policy.Wrongf("clients were known by nets of /%d and /%d, and --greylist-ipv4=%d --greylist-ipv6=%d are smaller nets: reload the daemon with the imported flags first",
			in.IPv4, in.IPv6, *o.ipv4, *o.ipv6)
	}
	t := takeover{store: c.Backends.State, nets: nets{*o.ipv4, *o.ipv6}, delimiter: c.Delimiter, passes: *o.passes, now: c.Backends.Clock()}
	if err = t.triplets(ctx, in.Triplets, &n); err == nil {
		err = t.clients(ctx, in.Clients, &n)
	}
	c.Altered("imported", "", n.String())
	return n, err
}

type takeover struct {
	store     state.Store
	nets      nets
	delimiter string
	passes    int
	now       time.Time
}

// triplets reads what is there of all, then writes what is better: a run that is repeated changes
// nothing.
func (k takeover) triplets(ctx context.Context, all []ImportedTriplet, n *ImportCount) error {
	var living []ImportedTriplet
	var reads []state.Step
	for _, one := range all {
		if !one.Until.After(k.now) {
			n.Ended++
			continue
		}
		t := k.triplet(one)
		living, reads = append(living, one), append(reads, state.Get(t.knownKey()), state.Get(t.pendingKey()))
	}
	found, err := k.store.Do(ctx, reads...)
	if err != nil || len(reads) == 0 {
		return err
	}
	var writes []state.Step
	for i, one := range living {
		known, pending := found[2*i], found[2*i+1]
		t := k.triplet(one)
		switch {
		case one.Passed:
			n.Known++
			if !known.Found || known.Until.Before(one.Until) {
				writes = append(writes, state.PutUntil(t.knownKey(), []byte(one.First.UTC().Format(pendingTime)+" "+importedMark), one.Until))
			}
		case known.Found:
			n.Known++
		default:
			n.Waiting++
			if !pending.Found {
				// That it was refused is not said: nobody is to be told if it does not come back
				// here.
				writes = append(writes, state.PutUntil(t.pendingKey(), pendingTriplet{first: one.First}.value(), one.Until.Add(grace)))
			}
		}
	}
	return k.write(ctx, writes)
}

// clients counts the passes of nets: the most that any client of it has.
func (k takeover) clients(ctx context.Context, all []ImportedClient, n *ImportCount) error {
	best := make(map[string]ImportedClient)
	var nets []string
	for _, one := range all {
		if !one.Until.After(k.now) {
			n.Ended++
			continue
		}
		n.Clients++
		if one.Known {
			one.Passes = max(one.Passes, k.passes)
		}
		net := k.nets.of(one.Client)
		before, seen := best[net]
		if !seen {
			nets = append(nets, net)
		}
		if !seen || one.Passes > before.Passes || one.Passes == before.Passes && one.Until.After(before.Until) {
			best[net] = one
		}
	}
	reads := make([]state.Step, len(nets))
	for i, net := range nets {
		reads[i] = state.Get(clientPassesKey(net))
	}
	found, err := k.store.Do(ctx, reads...)
	if err != nil || len(reads) == 0 {
		return err
	}
	var writes []state.Step
	for i, net := range nets {
		if one := best[net]; !found[i].Found || passCount(found[i].Value) < one.Passes {
			writes = append(writes, state.PutUntil(clientPassesKey(net), []byte(strconv.Itoa(one.Passes)), one.Until))
		}
	}
	return k.write(ctx, writes)
}

func (k takeover) write(ctx context.Context, steps []state.Step) error {
	if len(steps) == 0 {
		return nil
	}
	_, err := k.store.Do(ctx, steps...)
	return err
}

// triplet makes keys of it, as the check makes them of mail.
func (k takeover) triplet(one ImportedTriplet) triplet {
	return triplet{
		net:       k.nets.of(one.Client),
		sender:    address.Parse(one.Sender).SenderKey(),
		recipient: address.Parse(one.Recipient).Base(k.delimiter).Key(),
	}
}

// importedMark is the note of a known triplet that was taken over.
const importedMark = "imported"

// isImported reports whether a known triplet was taken over.
func isImported(value []byte) bool { return strings.HasSuffix(string(value), " "+importedMark) }

// unextended is the key of a triplet that was taken over from a program which knew its sender
// without his extension, "" where he has none.
func unextended(t triplet, sender address.Address) string {
	base, _, extended := strings.Cut(sender.Local, "+")
	if !extended || base == "" {
		return ""
	}
	sender.Local = base
	t.sender = sender.SenderKey()
	return t.knownKey()
}
