package recipients

import (
	"sync"
	"time"
)

// key is one address at one source.
type key struct{ source, address string }

const (
	// mostNear bounds the answers in memory: twice as many are kept at most.
	mostNear = 50_000
	// longest bounds an address in memory: longer ones are hardly mail.
	longest = 512
)

// near is what is kept in memory. When the young answers are many, they become the old ones and
// those go: what is asked about again comes from the state. The zero near is empty and ready.
type near struct {
	mu         sync.RWMutex
	young, old map[key]Answer
	forgets    int
}

// any returns the answer, however old.
func (n *near) any(k key) (Answer, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	answer, ok := n.young[k]
	if !ok {
		answer, ok = n.old[k]
	}
	return answer, ok
}

// find returns the answer if it counts at that time.
func (n *near) find(k key, now time.Time) (Answer, bool) {
	answer, ok := n.any(k)
	return answer, ok && now.Before(answer.Until())
}

// version is to be taken before an answer is looked for that is to be put here.
func (n *near) version() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.forgets
}

// put keeps an answer, unless something has been forgotten since that version: it might be this.
func (n *near) put(k key, answer Answer, version int) {
	if len(k.address) > longest {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.forgets != version {
		return
	}
	if n.young == nil || len(n.young) >= mostNear {
		n.young, n.old = map[key]Answer{}, n.young
	}
	n.young[k] = answer
}

// forget forgets everything: the state still knows what was not meant.
func (n *near) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.young, n.old = nil, nil
	n.forgets++
}
