package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"sync"

	"mailweir/internal/history"
)

// again knows wrong passwords again, by a digest under a key that dies with the process: a mail
// program that nobody has told of the new password says the old one for ever, and guesses nothing.
type again struct {
	key [32]byte

	mu    sync.Mutex
	known map[digest]bool
	order []digest // of the known, a ring
	next  int      // the oldest of the ring
}

type digest [16]byte

// maxAgain bounds the passwords that are known. Beyond it the oldest is forgotten, so that saying
// it again counts once more.
const maxAgain = 10_000

func newAgain() *again {
	a := &again{known: map[digest]bool{}}
	_, _ = rand.Read(a.key[:]) // it never fails
	return a
}

// seen reports whether that login has had that wrong password from there before, and remembers it.
func (a *again) seen(client netip.Addr, login string, password []byte) bool {
	if !client.IsValid() {
		return false
	}
	mac := hmac.New(sha256.New, a.key[:])
	for _, part := range []string{history.Net(client), login} {
		_ = binary.Write(mac, binary.BigEndian, uint32(len(part))) // writing to a hash never fails
		mac.Write([]byte(part))
	}
	mac.Write(password)
	d := digest(mac.Sum(nil)[:len(digest{})])
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known[d] {
		return true
	}
	if len(a.order) < maxAgain {
		a.order = append(a.order, d)
	} else {
		delete(a.known, a.order[a.next])
		a.order[a.next] = d
		a.next = (a.next + 1) % maxAgain
	}
	a.known[d] = true
	return false
}
