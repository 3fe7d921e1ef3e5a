package milter

import (
	"sync"
	"time"
)

// progressEvery is how often an MTA that waits for the answer to a message hears that there is work
// on it, the first time included. Each packet renews milter_content_timeout of Postfix (300 s by
// default) and R of Sendmail's timeouts for filters (10 s); nothing renews Sendmail's E (5 min).
const progressEvery = 4 * time.Second

// progressPacket is SMFIR_PROGRESS, for which the library has no name.
var progressPacket = []byte{0, 0, 0, 1, 'p'}

// progressing calls judge and sends a progress packet now and then until it is done. Who otherwise
// writes waits for judge, so no packet falls into another.
func (c *conn) progressing(judge func()) {
	var mu sync.Mutex
	over := false
	every := c.progressEvery
	var timer *time.Timer
	mu.Lock()
	timer = time.AfterFunc(every, func() {
		mu.Lock()
		defer mu.Unlock()
		if !over && !c.isGone() {
			c.send(progressPacket)
			timer.Reset(every)
		}
	})
	mu.Unlock()
	defer func() {
		mu.Lock()
		over = true
		mu.Unlock()
		timer.Stop()
	}()
	judge()
}
