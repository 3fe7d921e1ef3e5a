package state

import (
	"time"
)

// Options are what a store is opened with.
type Options struct {
	// Clock tells the time; nil is time.Now. The clocks of hosts that share a store must agree
	// within seconds.
	Clock func() time.Time
	// Rows bounds the rows of each space; 0 is ten million.
	Rows int
	// OnDown is called once when the store goes unavailable and OnUp once when it is back. Neither
	// may wait.
	OnDown func(error)
	OnUp   func()

	renewEvery time.Duration // how often places on a server are renewed; 0 is a third of LeaseTime
}

// defaultRows is room for the triplets of a large site.
const defaultRows = 10_000_000

// maxSpared is how many entered rows that end first eviction steps over before it lets a space be
// larger than its bound.
const maxSpared = 64

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Rows <= 0 {
		o.Rows = defaultRows
	}
	if o.renewEvery <= 0 {
		o.renewEvery = LeaseTime / 3
	}
	if o.OnDown == nil {
		o.OnDown = func(error) {}
	}
	if o.OnUp == nil {
		o.OnUp = func() {}
	}
	return o
}
