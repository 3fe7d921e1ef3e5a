package hosts

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var crashFlags = []string{
	"--concurrency=enforce", "--concurrency-client=2", "--outbound-limit=enforce", "--outbound-limit-sessions=1",
}

// oneDies kills a mailweir that holds places. The other host goes on, the places come back, and the
// dead one knows all when it is started again.
func oneDies(t *testing.T, s *site) {
	a, b := s.hosts[0], s.hosts[1]
	const client, sender, recipient = "127.4.0.1", "alice@open.example", "bob@example.org"
	a.do(t, "account off --inbound=closed.example --note=moving")
	for range 2 {
		session := a.from(t, client)
		session.begin(t, sender, recipient, taken)
		defer session.client.Close()
	}
	session := a.as(t, "frank")
	session.begin(t, "frank@example.org", "x@else.example", taken)
	defer session.client.Close()

	a.mailweir.Kill()
	session = b.from(t, client)
	session.begin(t, sender, recipient, full)
	session.quit(t)
	session = b.as(t, "frank")
	session.begin(t, "frank@example.org", "x@else.example", tooMuch)
	session.quit(t)
	b.answers(t, "127.4.0.2", sender, recipient, taken) // a neighbour
	session = a.from(t, client)
	session.say(t, "MAIL FROM:<"+sender+">", "451 4.7.1 Service unavailable")
	session.quit(t)
	a.do(t, "account list", "closed.example", "moving", me(t)) // with no daemon the command asks the state itself

	a.start(t)
	a.answers(t, "127.4.0.3", sender, "bob@closed.example", takesNone)
	if err := b.comesBack(client, sender, recipient); err != nil {
		t.Error(err)
	}
	b.loginAnswers(t, "frank", "x@else.example", taken)
}

// leasePatience is how long the places of a dead host may stay taken: 30 seconds, and some for a
// busy machine.
const leasePatience = 45 * time.Second

// comesBack tries once a second until a place is free.
func (h *host) comesBack(client, sender, recipient string) error {
	pace := time.NewTicker(time.Second)
	defer pace.Stop()
	deadline := time.NewTimer(leasePatience)
	defer deadline.Stop()
	for {
		answer, err := h.try(client, sender, recipient)
		if err != nil || strings.HasPrefix(answer, taken) {
			return err
		}
		select {
		case <-pace.C:
		case <-deadline.C:
			return fmt.Errorf("host %s: after %v: %q", h.name, leasePatience, answer)
		}
	}
}

// startsAlone starts a mailweir while the state is unavailable: it takes mail, and knows all as
// soon as the state is back.
func startsAlone(t *testing.T, s *site) {
	a, b := s.hosts[0], s.hosts[1]
	const sender, recipient = "alice@open.example", "bob@closed.example"
	b.do(t, "account off --inbound=closed.example --note=moving")
	b.answers(t, "127.4.0.3", sender, recipient, takesNone)
	if err := a.mailweir.End(); err != nil {
		t.Error(err)
	}
	s.redis.Kill()
	a.start(t)
	a.lastSaid(t, gone)
	a.answers(t, "127.4.0.3", sender, recipient, taken) // it has never heard of the entry
	b.answers(t, "127.4.0.3", sender, recipient, takesNone)
	s.redis.Start()
	a.lastSaid(t, back)
	a.answers(t, "127.4.0.3", sender, recipient, takesNone)
}
