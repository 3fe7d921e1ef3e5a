package state

import (
	"context"
	"slices"
	"sync"
)

// news tells the other process what has changed, off the way of whoever changes it.
type news struct {
	call Caller
	more chan struct{}
	end  chan struct{}

	mu     sync.Mutex
	keys   [][]byte
	missed bool
	own    map[string]int  // what the other process is changing itself
	hidden map[string]bool // of those, what has been changed meanwhile
}

// mostNews bounds the keys that wait to be told.
const mostNews = 1000

// enteredSteps are the keys of the steps of a person.
func enteredSteps(steps []Step) (keys []string) {
	for _, s := range steps {
		if s.entered && !s.reads() {
			keys = append(keys, s.key)
		}
	}
	return keys
}

// begin says that the other process changes keys: it need not be told of that.
func (n *news) begin(keys []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, key := range keys {
		n.own[key]++
	}
}

// over says that this is over, and which keys the other process knows to be changed.
func (n *news) over(keys, known []string) {
	var others []string
	n.mu.Lock()
	for _, key := range keys {
		if n.own[key]--; n.own[key] > 0 {
			continue
		}
		if n.hidden[key] && !slices.Contains(known, key) { // somebody else was quicker
			others = append(others, key)
		}
		delete(n.own, key)
		delete(n.hidden, key)
	}
	n.mu.Unlock()
	for _, key := range others {
		n.add(key)
	}
}

func (n *news) add(key string) {
	n.mu.Lock()
	if n.own[key] > 0 {
		n.hidden[key] = true
		n.mu.Unlock()
		return
	}
	if key == "" || len(n.keys) >= mostNews {
		n.keys, n.missed = nil, true
	} else if !n.missed {
		n.keys = append(n.keys, []byte(key))
	}
	n.mu.Unlock()
	nudge(n.more)
}

// run tells until the end. One telling at a time keeps them in order.
func (n *news) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-n.end
		cancel()
	}()
	for {
		select {
		case <-n.more:
		case <-n.end:
			return
		}
		n.mu.Lock()
		told := wireChanged{n.keys}
		if n.missed {
			told.Keys = [][]byte{{}}
		}
		n.keys, n.missed = nil, false
		n.mu.Unlock()
		_ = n.call(ctx, methodChanged, told, nil) // the other process has gone, and needs no news
	}
}
