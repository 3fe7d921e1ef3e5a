package main

import (
	"crypto/tls"
	"sync"
	"time"
)

// certificate is that of --console-cert and --console-key. It is read again when one of the files
// has changed; what cannot be read changes nothing.
type certificate struct {
	chain, key string
	clock      func() time.Time
	wrong      func(error) // told once of each mistake

	mu     sync.Mutex
	pair   *tls.Certificate
	looked time.Time
	looks  string // what the files looked like that were read last, wrong or not
}

func openCertificate(chain, key string, clock func() time.Time, wrong func(error)) (*certificate, error) {
	c := &certificate{chain: chain, key: key, clock: clock, wrong: wrong}
	c.looked, c.looks = clock(), looks([]string{chain, key})
	pair, err := tls.LoadX509KeyPair(chain, key)
	c.pair = &pair
	return c, err
}

// get is what TLS asks for each connection.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.clock(); now.Sub(c.looked) >= lookEvery {
		c.looked = now
		if look := looks([]string{c.chain, c.key}); look != c.looks {
			c.looks = look
			c.read()
		}
	}
	return c.pair, nil
}

// reload reads both files again.
func (c *certificate) reload() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looks = looks([]string{c.chain, c.key})
	c.read()
}

// read reads both files. They change one after the other, so a pair that does not match may be one
// that is about to.
func (c *certificate) read() {
	pair, err := tls.LoadX509KeyPair(c.chain, c.key)
	if err != nil {
		c.wrong(err)
		return
	}
	c.pair = &pair
}
