package milter

import (
	"bytes"
	"errors"
	"fmt"
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

// session reads the facts of each stage from its packet, asks the policy, and answers. It turns
// panics of the policy into faults of the message.
type session struct {
	conn     *conn
	policy   Session
	terms    terms
	queueID  string // of the message at hand, as soon as the MTA has told it
	inHeader bool   // the end of the header of the message at hand is still to come
}

// take passes a packet on, which is in order, and answers it where an answer is due.
func (s *session) take(code gomilter.Code, data []byte) error {
	switch code {
	case gomilter.CodeConn:
		return s.connect(data)
	case gomilter.CodeHelo:
		s.helo(data)
	case gomilter.CodeMail:
		s.mail(data)
	case gomilter.CodeRcpt:
		s.rcpt(data)
	case gomilter.CodeHeader:
		return s.header(data)
	case gomilter.CodeEOH:
		s.endHeader()
		s.proceed(gomilter.OptNoEOHReply)
	case gomilter.CodeEOB:
		s.end(data)
	case gomilter.CodeAbort:
		s.guard(s.policy.Abort)
	case gomilter.CodeData:
		s.goOn()
	}
	return nil
}

// connect begins the session.
func (s *session) connect(data []byte) error {
	facts, err := connectFacts(data, s.conn.macros)
	if err != nil {
		return err
	}
	facts.Denied = s.terms.denied()
	s.guard(func() { s.policy.Connect(facts) })
	s.proceed(gomilter.OptNoConnReply)
	return nil
}

// helo takes a HELO or EHLO, of which there may be several.
func (s *session) helo(data []byte) {
	name, _ := cstring(data)
	facts := policy.HeloFacts{Name: string(name), TLS: tlsFacts(s.conn.macros)}
	s.reply(func() policy.Answer { return s.policy.Helo(facts) })
}

// mail begins a message.
func (s *session) mail(data []byte) {
	spelling, arguments := cstring(data)
	m := s.conn.macros
	s.queueID = m.get("i")
	facts := policy.MailFacts{
		Sender:   path(string(spelling)),
		Login:    m.get("{auth_authen}"),
		AuthType: m.get("{auth_type}"),
		QueueID:  s.queueID,
	}
	mailArguments(arguments, &facts)
	s.inHeader = true
	if !s.reply(func() policy.Answer { return s.policy.Mail(facts) }) { // Sendmail sends no abort after a refusal
		s.conn.over, s.conn.phase = true, phaseClient
	}
}

// rcpt takes a recipient. Postfix also reports those that it refuses itself, by the mailer "error"
// with the enhanced code as host (MILTER_README, "Sendmail macro emulation"), and then ignores the
// reply.
func (s *session) rcpt(data []byte) {
	spelling, _ := cstring(data)
	facts := policy.RcptFacts{Spelling: string(spelling), QueueID: s.queue()}
	facts.Recipient = path(facts.Spelling)
	if s.conn.macros.get("{rcpt_mailer}") == "error" {
		facts.Refusal = s.conn.macros.get("{rcpt_host}")
		s.guard(func() { s.policy.RcptRefusedByMTA(facts) })
		s.goOn()
		return
	}
	s.reply(func() policy.Answer { return s.policy.Rcpt(facts) })
}

// header takes a header field: name NUL value NUL. Like libmilter it takes no notice of what
// follows. The MTA shows the value to the octet, or else without a blank behind the colon, of which
// it is then not known whether there was one.
func (s *session) header(data []byte) error {
	name, rest, split := bytes.Cut(data, []byte{0})
	if !split || len(name) == 0 {
		return errors.New("protocol error: the MTA sends a header field without name or value")
	}
	value, _ := cstring(rest)
	both := string(data[:len(name)+1+len(value)]) // one string for both
	f := policy.Field{Name: both[:len(name)], Value: both[len(name)+1:]}
	if s.terms.protocol&gomilter.OptHeaderLeadingSpace != 0 {
		var spaced bool
		f.Value, spaced = strings.CutPrefix(f.Value, " ")
		f.Unspaced = !spaced
	}
	s.guard(func() { s.policy.Header(f, s.queue()) })
	s.proceed(gomilter.OptNoHeaderReply)
	return nil
}

func (s *session) endHeader() {
	if s.inHeader {
		s.inHeader = false
		s.guard(s.policy.EndOfHeaders)
	}
}

// body takes a piece of the body, which is only valid during the call.
func (s *session) body(piece []byte) {
	s.guard(func() { s.policy.Body(piece) })
}

// end takes the end of the message, which is the last chance to answer for it: if the policy panics
// it is asked once more, now that it knows of the fault.
func (s *session) end(last []byte) {
	s.endHeader()
	if len(last) > 0 {
		s.body(last)
	}
	var answer policy.Answer
	judge := func() { answer = s.policy.EndOfMessage(s.queue()) }
	answered := false
	s.conn.progressing(func() {
		if answered = s.guard(judge); !answered {
			answered = s.guard(judge)
		}
	})
	switch {
	case !answered:
		s.conn.answer(unable())
	case answer.Refuses():
		s.conn.answer(refusal(answer.Line))
	case len(answer.Edits) > 0:
		s.conn.answer(append(s.edits(answer.Edits), continuePacket...))
	default:
		s.goOn()
	}
}

// close ends the session. A panic has no message left to be a fault of.
func (s *session) close() {
	if err := caught(s.policy.Close); err != nil {
		s.conn.log(fmt.Errorf("milter session %s: at its end: %w", s.policy.ID(), err))
	}
}

// queue returns the MTA's id of the message. Postfix has none before the first recipient is
// accepted.
func (s *session) queue() string {
	if s.queueID == "" {
		s.queueID = s.conn.macros.get("i")
	}
	return s.queueID
}

// reply asks the policy at a stage that has a reply, and reports whether the mail goes on. After a
// panic it goes on to the next stage, where the policy answers for the fault.
func (s *session) reply(ask func() policy.Answer) bool {
	var answer policy.Answer
	if s.guard(func() { answer = ask() }) && answer.Refuses() {
		s.conn.answer(refusal(answer.Line))
		return false
	}
	s.goOn()
	return true
}

// goOn lets the mail on.
func (s *session) goOn() { s.conn.answer(continuePacket) }

// proceed lets the mail on at a stage that has no reply, unless the MTA has granted that none is
// due.
func (s *session) proceed(granted gomilter.OptProtocol) {
	if s.terms.protocol&granted == 0 {
		s.goOn()
	}
}

// guard calls the policy and makes a panic a fault of the message. It reports whether there was
// none.
func (s *session) guard(call func()) (ok bool) {
	err := caught(call)
	if err != nil {
		s.fault(err)
	}
	return err == nil
}

func (s *session) fault(err error) {
	if again := caught(func() { s.policy.Fault(err) }); again != nil {
		s.conn.log(fmt.Errorf("milter session %s: fault not noticed: %w\nit was: %w", s.policy.ID(), again, err))
	}
}

// caught makes a panic of what it calls an error, with the stack.
func caught(call func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	call()
	return nil
}
