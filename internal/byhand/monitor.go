package byhand

import (
	"context"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// All stands for every check.
const All = "*"

// monitorSpace is the space of the state that holds the checks: monitor|rbl, monitor|*.
const monitorSpace = "monitor"

// Order is that a check only monitors, by order of a person.
type Order struct {
	// Check is its name, or [All].
	Check string `json:"check"`
	entry.Origin
	// Until is when it ends by itself; zero is never.
	Until time.Time `json:"until"`
}

// String tells the order in words, for events.
func (o Order) String() string {
	text := "monitored by " + o.Who() + " since " + o.At.UTC().Format(time.DateTime)
	if !o.Until.IsZero() {
		text += " until " + o.Until.UTC().Format(time.DateTime)
	}
	if o.Note != "" {
		text += ": " + o.Note
	}
	return text
}

// Orders are those in force at one moment; nil is none.
type Orders map[string]Order

// Of is the order that a check is under: its own before that for all.
func (o Orders) Of(check string) (Order, bool) {
	if len(o) == 0 {
		return Order{}, false
	}
	own, ok := o[check]
	if !ok {
		own, ok = o[All]
	}
	return own, ok
}

// Monitored knows which checks only monitor by order of a person.
type Monitored struct {
	index *state.Index[Orders]
	clock func() time.Time
}

// NewMonitored returns what is ordered in the state of the backends. Where recorded mail is judged
// nothing is: the modes are those of the policy.
func NewMonitored(b *policy.Backends) *Monitored {
	if b.Recorded || b.State == nil {
		return &Monitored{}
	}
	return &Monitored{state.NewIndex(b.Mirror(state.MirrorOptions{Space: monitorSpace}), ordersOf), b.Clock}
}

func ordersOf(entries []state.Entry) Orders {
	var orders Orders
	for _, e := range entries {
		if _, parts := state.Parts(e.Key); len(parts) == 1 {
			if orders == nil {
				orders = Orders{}
			}
			orders[parts[0]] = Order{Check: parts[0], Origin: entry.Read(e.Value), Until: e.Until}
		}
	}
	return orders
}

// Now are the orders in force. Where they have never been heard of, there is none.
func (m *Monitored) Now(ctx context.Context) Orders {
	if m.index == nil {
		return nil
	}
	all, _ := m.index.Latest(ctx)
	if len(all) == 0 {
		return nil
	}
	now := m.clock()
	for _, o := range all {
		if ended(o.Until, now) {
			return all.at(now)
		}
	}
	return all
}

func (o Orders) at(now time.Time) Orders {
	var living Orders
	for check, one := range o {
		if !ended(one.Until, now) {
			if living == nil {
				living = Orders{}
			}
			living[check] = one
		}
	}
	return living
}

func ended(until, now time.Time) bool { return !until.IsZero() && !now.Before(until) }

func orderKey(check string) string { return state.Key(monitorSpace, check) }
