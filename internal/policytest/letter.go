package policytest

import (
	"net/netip"
	"strings"

	"mailweir/internal/policy"
	"mailweir/internal/runner"
)

// Letter is one message and where it comes from. What is left out is an untrusted client's ordinary
// mail.
type Letter struct {
	Client string // "none" for a local submission
	Name   string // verified host name
	Helo   string
	Login  string
	Door   string // {daemon_name}
	From   string // "<>" for the null sender
	To     []string
	Size   int64 // declared
	UTF8   bool
	Header []string
	Body   string
}

// Connect is what the MTA tells about the connection.
func (l Letter) Connect() policy.ConnectFacts {
	if l.Client == "none" {
		return policy.ConnectFacts{NoNetwork: true, DaemonName: l.Door}
	}
	if l.Client == "" {
		l.Client = "192.0.2.1"
	}
	return policy.ConnectFacts{Client: netip.MustParseAddr(l.Client), Port: 25252, Name: l.Name, DaemonName: l.Door}
}

// Mail is what the MTA tells at MAIL.
func (l Letter) Mail() policy.MailFacts {
	if l.From == "" {
		l.From = "sender@else.example"
	}
	return policy.MailFacts{Sender: strings.TrimSuffix(strings.TrimPrefix(l.From, "<"), ">"), Size: l.Size, SMTPUTF8: l.UTF8, Login: l.Login}
}

// Send plays the letter as an MTA does and returns what was refused, one line each.
func (l Letter) Send(s *runner.Session) (said []string) {
	s.Connect(l.Connect())
	if a := s.Helo(policy.HeloFacts{Name: l.Helo}); a.Refuses() {
		return []string{"helo " + a.Line.String()}
	}
	if a := s.Mail(l.Mail()); a.Refuses() {
		return []string{"mail " + a.Line.String()}
	}
	if l.To == nil {
		l.To = []string{"user@ours.example"}
	}
	accepted := 0
	for _, to := range l.To {
		if a := s.Rcpt(policy.RcptFacts{Recipient: to, Spelling: "<" + to + ">"}); a.Refuses() {
			said = append(said, "rcpt "+a.Line.String())
		} else {
			accepted++
		}
	}
	if accepted == 0 {
		return said
	}
	for _, field := range l.Header {
		name, value, _ := strings.Cut(field, ": ")
		s.Header(policy.Field{Name: name, Value: value}, "4AbC")
	}
	s.EndOfHeaders()
	s.Body([]byte(l.Body))
	a := s.EndOfMessage("4AbC")
	if a.Refuses() {
		said = append(said, "end "+a.Line.String())
	}
	if len(a.Edits) > 0 {
		said = append(said, "end change "+policy.EditText(a.Edits))
	}
	return said
}
