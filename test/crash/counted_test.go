package crash

import (
	"fmt"
	"time"

	"mailweir/checks/greylist"
	"mailweir/internal/admin"
	"mailweir/internal/policy"
)

// counted is what becomes of rows that no person entered: the first sights of an untrusted client's
// mail.
type counted struct {
	killed            time.Time // when the life ended that is to be measured; zero when none is
	kills, lost, kept int
	window            time.Duration // the longest time between a loss and the kill
	known             map[string]bool
}

func (c *counted) String() string {
	return fmt.Sprintf("of %d first sights before %d kills %d are lost, the oldest %v before the kill",
		c.lost+c.kept, c.kills, c.lost, c.window.Round(time.Millisecond))
}

// measure looks which first sights of a life that is to be measured the next one does not know.
func (c *counted) measure(b *bed) {
	b.t.Helper()
	if c.killed.IsZero() {
		return
	}
	kill := c.killed
	c.killed = time.Time{}
	there := sights(b)
	if c.known == nil {
		c.known = make(map[string]bool)
	}
	b.load.mu.Lock()
	defer b.load.mu.Unlock()
	c.kills++
	for sender, at := range b.load.sights {
		switch {
		case !at.Before(kill): // of the life that has just begun: the disk need not have it yet
		case there[sender]:
			c.known[sender] = true
			c.kept++
		default:
			c.lost++
			c.window = max(c.window, kill.Sub(at))
		}
	}
}

// settle looks for all that was there after an earlier kill.
func (c *counted) settle(b *bed) {
	b.t.Helper()
	there := sights(b)
	for sender := range c.known {
		if !there[sender] {
			b.t.Errorf("the first sight of %s was kept by one kill and lost by a later one", sender)
		}
	}
}

// sights returns the senders whose first sight the running mailweir knows.
func sights(b *bed) map[string]bool {
	b.t.Helper()
	client := admin.NewClient(b.entries.path)
	defer client.Close()
	var answer policy.Part[greylist.Row]
	request := map[string]any{"recipient": strangersRecipient, "limit": 1_000_000}
	if err := client.Ask(b.t.Context(), "greylist/show", request, &answer); err != nil {
		b.t.Fatal(err)
	}
	there := make(map[string]bool)
	for _, row := range answer.Rows {
		there[row.Sender] = true
	}
	return there
}
