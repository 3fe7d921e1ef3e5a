package door

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// How many guesses may be wrong in a window: from one client (an IPv6 net of 64 bits counts as
// one), for one name, and in all. Who has logged in by that name from that client before is held to
// the first alone, so that others who guess keep nobody out.
const (
	guessWindow    = 10 * time.Minute
	guessesClient  = 10
	guessesName    = 20
	guessesAll     = 300
	knownPairs     = 10_000
	countedAtMost  = 20_000
	rememberedPair = 30 * 24 * time.Hour
)

// limits count guesses.
type limits struct {
	clock   func() time.Time
	mu      sync.Mutex
	counted map[string]*window
	known   map[string]time.Time // NAME and client that have logged in
}

// window counts from its beginning.
type window struct {
	began time.Time
	count int
}

func newLimits(clock func() time.Time) *limits {
	return &limits{clock: clock, counted: map[string]*window{}, known: map[string]time.Time{}}
}

// guess is one attempt that has been counted.
type guess struct {
	keys []string
	pair string
}

// clientKey is what counts as one client: from is where a request comes from that has no address.
func clientKey(client netip.Addr, from string) string {
	switch {
	case !client.IsValid():
		return from
	case client.Is6():
		p, _ := client.Prefix(64)
		return p.Addr().String()
	}
	return client.String()
}

// begin counts an attempt, which counts as wrong until it is known to be right. wait says how long
// the client has to wait instead, 0 if it need not.
func (l *limits) begin(from, name string) (g guess, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	g = guess{keys: []string{"client " + from}, pair: name + " " + from}
	most := []int{guessesClient}
	if now.Sub(l.known[g.pair]) >= rememberedPair {
		g.keys, most = append(g.keys, "name "+name, "all"), append(most, guessesName, guessesAll)
	}
	l.makeRoom(now)
	for i, key := range g.keys {
		if w := l.counted[key]; w != nil && now.Sub(w.began) < guessWindow && w.count >= most[i] {
			wait = max(wait, w.began.Add(guessWindow).Sub(now))
		}
	}
	if wait > 0 {
		return guess{}, wait
	}
	for _, key := range g.keys {
		w := l.counted[key]
		if w == nil || now.Sub(w.began) >= guessWindow {
			w = &window{began: now}
			l.counted[key] = w
		}
		w.count++
	}
	return g, 0
}

// undo takes an attempt back that was right, or of which nobody knows.
func (l *limits) undo(g guess, right bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range g.keys {
		if w := l.counted[key]; w != nil && w.count > 0 {
			w.count--
		}
	}
	if !right {
		return
	}
	if len(l.known) >= knownPairs {
		clear(l.known)
	}
	l.known[g.pair] = l.clock()
}

// makeRoom forgets windows that have ended, and of too many the oldest: but not that of all, which
// then still holds.
func (l *limits) makeRoom(now time.Time) {
	if len(l.counted) < countedAtMost {
		return
	}
	var began []time.Time
	for key, w := range l.counted {
		if now.Sub(w.began) >= guessWindow {
			delete(l.counted, key)
			continue
		}
		began = append(began, w.began)
	}
	if len(began) < countedAtMost {
		return
	}
	slices.SortFunc(began, time.Time.Compare)
	middle := began[len(began)/2]
	for key, w := range l.counted {
		if key != "all" && !w.began.After(middle) {
			delete(l.counted, key)
		}
	}
}
