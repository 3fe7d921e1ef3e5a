package milter

import (
	"fmt"
	"net"
	"net/textproto"
	"runtime/debug"
	"strings"

	gomilter "github.com/emersion/go-milter"

	"mailweir/internal/policy"
)

// Session is the policy's side of one SMTP connection: *runner.Session. Its methods are called one
// at a time, in the order of the dialog: Abort also after a finished message, Close last and once.
type Session interface {
	ID() string
	Connect(policy.ConnectFacts)
	Helo(policy.HeloFacts) policy.Answer
	Mail(policy.MailFacts) policy.Answer
	Rcpt(policy.RcptFacts) policy.Answer
	RcptRefusedByMTA(policy.RcptFacts)
	Header(f policy.Field, queueID string)
	EndOfHeaders()
	// Body takes a chunk that is only valid during the call.
	Body([]byte)
	EndOfMessage(queueID string) policy.Answer
	Abort()
	Close()
	// Fault takes notice of a panic. The policy answers for it at the next stage that has a reply.
	Fault(error)
}

// session is what the library calls. It reads the facts of each stage from the packet itself, which
// the library hands over incompletely, and turns panics into faults of the message.
type session struct {
	conn     *conn
	policy   Session
	terms    terms
	goOn     *response
	queueID  string // of the message at hand, as soon as the MTA has told it
	inHeader bool   // the end of the header of the message at hand is still to come
}

var _ gomilter.Milter = (*session)(nil)

// Connect begins the session.
func (s *session) Connect(string, string, uint16, net.IP, *gomilter.Modifier) (gomilter.Response, error) {
	facts, err := connectFacts(s.conn.data, s.conn.macros)
	if err != nil {
		return nil, err
	}
	facts.Denied = s.terms.denied()
	s.guard(func() { s.policy.Connect(facts) })
	return s.silent(gomilter.OptNoConnReply), nil
}

// Helo is called for every HELO and EHLO.
func (s *session) Helo(string, *gomilter.Modifier) (gomilter.Response, error) {
	name, _ := cstring(s.conn.data)
	facts := policy.HeloFacts{Name: string(name), TLS: tlsFacts(s.conn.macros)}
	return s.answer(func() policy.Answer { return s.policy.Helo(facts) }), nil
}

// MailFrom begins a message.
func (s *session) MailFrom(string, *gomilter.Modifier) (gomilter.Response, error) {
	spelling, arguments := cstring(s.conn.data)
	m := s.conn.macros
	s.queueID = m.get("i")
	facts := policy.MailFacts{
		Sender:   path(string(spelling)),
		Login:    m.get("{auth_authen}"),
		AuthType: m.get("{auth_type}"),
		QueueID:  s.queueID,
	}
	mailArguments(arguments, &facts)
	response := s.answer(func() policy.Answer { return s.policy.Mail(facts) })
	s.inHeader = true
	if response != s.goOn { // Sendmail sends no abort after a refusal
		s.conn.over, s.conn.phase = true, phaseClient
	}
	return response, nil
}

// RcptTo takes a recipient. Postfix also reports those that it refuses itself, by the mailer
// "error" with the enhanced code as host (MILTER_README, "Sendmail macro emulation"), and then
// ignores the reply.
func (s *session) RcptTo(string, *gomilter.Modifier) (gomilter.Response, error) {
	spelling, _ := cstring(s.conn.data)
	facts := policy.RcptFacts{Spelling: string(spelling), QueueID: s.queue()}
	facts.Recipient = path(facts.Spelling)
	if s.conn.macros.get("{rcpt_mailer}") == "error" {
		facts.Refusal = s.conn.macros.get("{rcpt_host}")
		s.guard(func() { s.policy.RcptRefusedByMTA(facts) })
		return s.goOn, nil
	}
	return s.answer(func() policy.Answer { return s.policy.Rcpt(facts) }), nil
}

// Header is never called: [conn] passes header fields on itself.
func (*session) Header(string, string, *gomilter.Modifier) (gomilter.Response, error) {
	return nil, nil
}

// header takes one header field. The MTA shows its text to the octet, or else without a blank
// behind the colon, of which it is then not known whether there was one.
func (s *session) header(name, text string) {
	f := policy.Field{Name: name, Value: text}
	if s.terms.protocol&gomilter.OptHeaderLeadingSpace != 0 {
		var spaced bool
		f.Value, spaced = strings.CutPrefix(text, " ")
		f.Unspaced = !spaced
	}
	s.guard(func() { s.policy.Header(f, s.queue()) })
}

// Headers is called at the end of the header.
func (s *session) Headers(textproto.MIMEHeader, *gomilter.Modifier) (gomilter.Response, error) {
	s.endHeader()
	return s.silent(gomilter.OptNoEOHReply), nil
}

func (s *session) endHeader() {
	if s.inHeader {
		s.inHeader = false
		s.guard(s.policy.EndOfHeaders)
	}
}

// BodyChunk is never called: [conn] passes the body on itself.
func (*session) BodyChunk([]byte, *gomilter.Modifier) (gomilter.Response, error) { return nil, nil }

// body takes a piece of the body, which is only valid during the call.
func (s *session) body(piece []byte) {
	s.guard(func() { s.policy.Body(piece) })
}

// Body is called at the end of the message, which is the last chance to answer for it: if the
// policy panics it is asked once more, now that it knows of the fault.
func (s *session) Body(m *gomilter.Modifier) (gomilter.Response, error) {
	s.endHeader()
	if last := s.conn.data; len(last) > 0 {
		s.body(last)
	}
	var answer policy.Answer
	judge := func() { answer = s.policy.EndOfMessage(s.queue()) }
	s.conn.over = true
	answered := false
	s.conn.progressing(func() {
		if answered = s.guard(judge); !answered {
			answered = s.guard(judge)
		}
	})
	if !answered {
		return unable(), nil
	}
	if answer.Refuses() {
		return refusal(answer.Line), nil
	}
	return s.goOn, s.edit(answer.Edits, m)
}

// Abort ends the message, finished or not. Postfix sends one after every message.
func (s *session) Abort(*gomilter.Modifier) error {
	s.guard(s.policy.Abort)
	return nil
}

func (s *session) close() { s.guard(s.policy.Close) }

// queue returns the MTA's id of the message. Postfix has none before the first recipient is
// accepted.
func (s *session) queue() string {
	if s.queueID == "" {
		s.queueID = s.conn.macros.get("i")
	}
	return s.queueID
}

// answer asks the policy at a stage that has a reply. After a panic the mail goes on to the next
// one, where the policy answers for the fault.
func (s *session) answer(ask func() policy.Answer) *response {
	var answer policy.Answer
	if s.guard(func() { answer = ask() }) && answer.Refuses() {
		return refusal(answer.Line)
	}
	return s.goOn
}

// silent is the response at a stage that has no reply, if the MTA has granted that it has none.
func (s *session) silent(granted gomilter.OptProtocol) gomilter.Response {
	if s.terms.protocol&granted != 0 {
		return nil
	}
	return s.goOn
}

// guard calls the policy and makes a panic a fault of the message. It reports whether there was
// none.
func (s *session) guard(call func()) (ok bool) {
	defer func() {
		if v := recover(); v != nil {
			ok = false
			s.fault(fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}
	}()
	call()
	return true
}

func (s *session) fault(err error) {
	defer func() {
		if v := recover(); v != nil {
			s.conn.log(fmt.Errorf("milter session %s: fault not noticed: panic: %v; it was: %w", s.policy.ID(), v, err))
		}
	}()
	s.policy.Fault(err)
}
