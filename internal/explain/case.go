// Package explain plays one case through a policy, by the very runner that judges mail, and tells
// what every check says. It is behind "mailweir explain" and the page of the console. That nothing
// is kept of a case is up to the backends of the policy that it is given.
package explain

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/runner"
)

// Case is what a client says. Addresses are with or without angle brackets.
type Case struct {
	// Client is the client's address; without it the message is submitted locally. Name is its
	// verified host name.
	Client, Name, Helo, Login string
	// Service is one of --services: mx, submission or reinject.
	Service string
	// Time is when it happens, as RFC 3339 has it; "" is now.
	Time string
	From string
	To   []string
	// TLS is the version, such as TLSv1.3, Cert the subject of the verified certificate.
	TLS, Cert string
	Bits      int
	// Size is the declared one (SIZE=), in octets.
	Size     int64
	SMTPUTF8 bool
	// NoScanners says that no scanner is to be shown the message.
	NoScanners bool
}

// Clock tells the time of the case. An error is about --time.
func (c *Case) Clock() (func() time.Time, error) {
	if c.Time == "" {
		return time.Now, nil
	}
	at, err := time.Parse(time.RFC3339, c.Time)
	if err != nil {
		return nil, fmt.Errorf("--time: %q is not a time such as 2026-01-31T15:04:05Z", c.Time)
	}
	return func() time.Time { return at }, nil
}

// connection is what the MTA would say of the client.
func (c *Case) connection(s *policy.Settings) (policy.ConnectFacts, error) {
	facts := policy.ConnectFacts{Name: c.Name}
	if c.Client == "" {
		facts.NoNetwork = true
	} else {
		client, err := netip.ParseAddr(c.Client)
		if err != nil {
			return facts, fmt.Errorf("--client: %w", err)
		}
		facts.Client, facts.Port = client, 25
	}
	door, ok := s.Door(policy.Service(c.Service))
	if !ok {
		return facts, fmt.Errorf("--service: no door of --services is %s", c.Service)
	}
	facts.DaemonName = door
	return facts, nil
}

// Play plays a case through a policy, with a message, or up to RCPT where it is nil, and closes
// the policy. An error is about the flag that it names.
func Play(p *runner.Policy, c *Case, m *Message) (*Transcript, error) {
	facts, err := c.connection(p.Settings)
	if err != nil {
		p.Close()
		return nil, err
	}
	t := &Transcript{}
	rn := runner.NewRunner(p, silent{}, runner.DefaultLimits)
	session := rn.NewExplainer(t.tell)
	t.play(session, facts, c, m)
	session.Close()
	rn.Close()
	t.off(p)
	return t, nil
}

func (t *Transcript) tell(w runner.Finding) { t.words = append(t.words, w) }

// play runs the dialog.
func (t *Transcript) play(s *runner.Session, facts policy.ConnectFacts, c *Case, m *Message) {
	s.Connect(facts)
	helo := policy.HeloFacts{Name: c.Helo, TLS: policy.TLS{Version: c.TLS, Bits: c.Bits, CertSubject: c.Cert}}
	greeted := s.Helo(helo)
	t.step("HELO "+c.Helo, greeted)
	begun := s.Mail(policy.MailFacts{Sender: trimmed(c.From), Size: c.Size, SMTPUTF8: c.SMTPUTF8, Login: c.Login})
	t.step("MAIL FROM:<"+trimmed(c.From)+">", begun)
	ended := greeted.Refuses() || begun.Refuses()
	if ended {
		t.Notes = append(t.Notes, "the client was refused before RCPT, so nothing more would be sent; what is said of it is shown all the same")
	}
	accepted := 0
	for _, to := range c.To {
		answer := s.Rcpt(policy.RcptFacts{Recipient: trimmed(to), Spelling: "<" + trimmed(to) + ">"})
		t.step("RCPT TO:<"+trimmed(to)+">", answer)
		if !answer.Refuses() {
			accepted++
		}
	}
	if m == nil {
		return
	}
	if accepted == 0 && !ended {
		t.Notes = append(t.Notes, "every recipient was refused, so the message would not be sent; what is said of it is shown all the same")
	}
	for _, field := range m.Fields {
		s.Header(field, "")
	}
	s.EndOfHeaders()
	const chunk = 65535
	for body := m.Body; len(body) > 0; {
		n := min(len(body), chunk)
		s.Body(body[:n])
		body = body[n:]
	}
	t.step("end of the message", s.EndOfMessage(""))
}

func trimmed(address string) string {
	return strings.TrimSuffix(strings.TrimPrefix(address, "<"), ">")
}

// silent takes events and does nothing with them.
type silent struct{}

func (silent) Identify(*policy.Event) string    { return "" }
func (silent) Record(*policy.Event)             {}
func (silent) Settled(*policy.Transaction)      {}
func (silent) Defect(error)                     {}
func (silent) Keeps() bool                      { return false }
func (silent) Dropped()                         {}
func (silent) Opened(*policy.Connection)        {}
func (silent) Closed(*policy.Connection)        {}
func (silent) Took(policy.Stage, time.Duration) {}
