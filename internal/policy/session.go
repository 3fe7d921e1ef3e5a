package policy

import (
	"slices"
	"time"

	"mailweir/internal/address"
)

// Session runs the policy for one SMTP connection: several messages, refused recipients, RSET, a second EHLO. The wire
// calls its methods one at a time, in the order of the dialog, and sends what they answer.
type Session struct {
	runner *Runner
	id     string
	helo   *HeloFacts // the latest, nil before the first
	conn   *Connection
	msg    *Message
	// transactions counts those of this connection.
	transactions int
	faulted      error // a fault between messages, for the next one to answer
	after        *afterwork
	tell         func(Word) // set by explain, which runs every check and waits for it
}

// NewSession returns the session of a new SMTP connection.
func (rn *Runner) NewSession() *Session {
	return &Session{runner: rn, id: NewID(), after: newAfterwork(rn)}
}

// NewExplainer returns a session that runs every check, waits for each, and tells what it said. It goes on after a
// refusal, so that one case shows all there is to know.
func (rn *Runner) NewExplainer(tell func(Word)) *Session {
	s := rn.NewSession()
	s.tell = tell
	return s
}

// ID names the session in the log.
func (s *Session) ID() string { return s.id }

func (s *Session) policy() *Policy { return s.conn.policy }

// Connect begins the session. No reply is owed: Postfix and Sendmail throw the text of one away.
func (s *Session) Connect(facts ConnectFacts) {
	s.Close()
	s.helo = nil
	if facts.Client.IsValid() {
		facts.Client = unmapped(facts.Client)
	}
	s.openConnection(facts, s.now())
	s.runner.observer.Opened(s.conn)
}

// openConnection makes a connection scope under the current policy, from facts that may be recorded ones.
func (s *Session) openConnection(facts ConnectFacts, started time.Time) {
	p := s.runner.acquire()
	c := &Connection{ConnectFacts: facts, ID: s.id, Started: started, runner: s.runner, policy: p}
	s.conn = c
	c.Service = p.Settings.service(facts)
	c.Local = facts.NoNetwork || facts.Port == 0 && facts.Name == "localhost" && facts.Client.IsLoopback()
	c.exempt = p.Settings.exempts(c)
	if s.exempt() {
		return
	}
	c.permit = p.Settings.permitClient(c)
	for _, b := range p.hooks.connect {
		if s.applies(b) {
			judge(s, b, StageConnect, b.hooks.Connect, c, nil)
		}
	}
}

// exempt reports whether nothing is checked, counted or learned: re-injected mail has been through here.
func (s *Session) exempt() bool { return s.conn.Service == Reinject }

// applies reports whether the check is to run for this client at all, as far as is known without waiting.
func (s *Session) applies(b *bound) bool {
	exempt := s.conn.exempt
	if s.msg != nil {
		exempt |= s.msg.exempt
	}
	return b.Bypass&exempt == 0 || s.explaining()
}

// runs reports whether the check is to run for the message under way.
func (s *Session) runs(b *bound) bool {
	return s.applies(b) && !slices.Contains(s.msg.broken, b)
}

// took tells the observer how long an answer took. This clock measures, it decides nothing.
func (s *Session) took(stage Stage, began time.Time) {
	s.runner.observer.Took(stage, time.Since(began))
}

func (s *Session) now() time.Time { return s.runner.Policy().world.Clock() }

// Helo takes HELO or EHLO, which also ends a transaction (RFC 5321 section 4.1.4). Only a refusal to serve at all
// (421) is answered here.
func (s *Session) Helo(facts HeloFacts) Answer {
	defer s.took(StageHelo, time.Now())
	s.ensureConnection()
	s.endMessage(Abandoned)
	s.helo = &facts
	s.conn.HeloFacts = facts
	if s.exempt() {
		return Answer{}
	}
	s.dropFindings(StageHelo)
	s.runHelo()
	return s.answerHelo()
}

func (s *Session) runHelo() {
	for _, b := range s.policy().hooks.helo {
		if s.applies(b) {
			judge(s, b, StageHelo, b.hooks.Helo, s.conn, nil)
		}
	}
}

// dropFindings forgets what an earlier HELO led to: after STARTTLS the client begins anew (RFC 3207 section 4.2).
func (s *Session) dropFindings(stage Stage) {
	kept := s.conn.findings[:0]
	for _, f := range s.conn.findings {
		if f.stage == stage {
			if f.later != nil {
				f.later.abandon()
			}
		} else {
			kept = append(kept, f)
		}
	}
	s.conn.findings = kept
}

// ensureConnection covers an MTA that leaves the connect step out: the client is then a stranger.
func (s *Session) ensureConnection() {
	if s.conn == nil {
		s.Connect(ConnectFacts{})
	}
}

// renew moves the session to a newer policy, with the facts that are recorded.
func (s *Session) renew() {
	if s.runner.Policy() == s.conn.policy {
		return
	}
	old := s.conn
	s.after.do(s.closeScope(old))
	s.openConnection(old.ConnectFacts, old.Started)
	if s.helo != nil {
		s.conn.HeloFacts = *s.helo
		if !s.exempt() {
			s.runHelo()
		}
	}
}

// Mail begins a transaction. It keeps the policy that is current now.
func (s *Session) Mail(facts MailFacts) Answer {
	defer s.took(StageMail, time.Now())
	s.ensureConnection()
	s.endMessage(Abandoned)
	s.renew()
	s.openMessage(facts)
	if s.exempt() {
		return Answer{}
	}
	answer := s.answerMail()
	if answer.Refuses() && !s.explaining() {
		s.endMessage(Refused)
	}
	return answer
}

func (s *Session) openMessage(facts MailFacts) {
	s.transactions++
	m := &Message{
		MailFacts: facts, Conn: s.conn, Number: s.transactions, Started: s.policy().world.Clock(),
		Sender: address.Parse(facts.Sender), helo: s.conn.HeloFacts,
	}
	if facts.Login != "" {
		m.exempt |= BypassTrusted | BypassLogin
	}
	if !s.exempt() {
		s.policy().findPermits(m)
	}
	s.msg = m
	if s.faulted != nil {
		s.fail(s.faulted)
		s.faulted = nil
	}
}

// Rcpt judges one recipient, on its own: a refusal never touches another.
func (s *Session) Rcpt(facts RcptFacts) Answer {
	defer s.took(StageRcpt, time.Now())
	if s.faulted != nil {
		s.surviveFault()
	}
	if s.msg == nil {
		return Answer{}
	}
	r := s.recipient(facts)
	if s.exempt() {
		s.msg.Recipients = append(s.msg.Recipients, r)
		return Answer{}
	}
	return s.answerRecipient(r)
}

// RcptRefusedByMTA takes notice of a recipient that the MTA itself has refused. No answer is owed.
func (s *Session) RcptRefusedByMTA(facts RcptFacts) {
	if s.msg == nil || s.exempt() {
		return
	}
	s.dismiss(s.recipient(facts), Outcome{Fate: RefusedByMTA})
}

func (s *Session) recipient(facts RcptFacts) *Recipient {
	m := s.msg
	if m.QueueID == "" {
		m.QueueID = facts.QueueID
	}
	r := &Recipient{RcptFacts: facts, Msg: m, Address: address.Parse(facts.Recipient)}
	s.policy().Settings.recipient(r)
	return r
}

// Header takes one header field. No reply is owed before the end of the message.
func (s *Session) Header(f Field, queueID string) {
	m := s.msg
	if m == nil {
		return
	}
	if m.QueueID == "" {
		m.QueueID = queueID
	}
	octets := len(f.Name) + len(": ") + len(f.Value) + len("\r\n")
	m.Octets += int64(octets)
	if s.exempt() {
		return
	}
	if m.keeps(f, octets) {
		if m.Fields == nil {
			m.Fields = make([]Field, 0, usualFields)
		}
		m.Fields = append(m.Fields, f)
		m.fieldOctets += octets
	} else {
		m.FieldsDropped = true
	}
	for _, b := range s.policy().hooks.header {
		if s.runs(b) {
			s.runHeader(b, f)
		}
	}
}

func (s *Session) runHeader(b *bound, f Field) {
	defer s.caught(b, StageHeaders)
	b.hooks.Header(s.msg, f)
}

// EndOfHeaders judges the header section. What it finds is answered at the end of the message.
func (s *Session) EndOfHeaders() {
	m := s.msg
	if m == nil || s.exempt() {
		return
	}
	if s.explaining() && len(m.Recipients) == 0 {
		m.Recipients, m.gone = m.gone, nil // nobody remains, and yet all there is to know is to be shown
	}
	m.Octets += int64(len("\r\n"))
	for _, b := range s.policy().hooks.headers {
		if s.runs(b) {
			judge(s, b, StageHeaders, b.hooks.Headers, m, nil)
		}
	}
	for _, b := range s.policy().hooks.headersFor {
		s.judgeEach(b, StageHeaders, b.hooks.HeadersFor)
	}
	if s.wantsDKIM() {
		m.StartDKIM()
	}
	m.condemned = s.refusalCertain()
}

func (s *Session) judgeEach(b *bound, stage Stage, hook func(*Recipient) (Verdict, error)) {
	if !s.runs(b) {
		return
	}
	for _, r := range s.msg.Recipients {
		judge(s, b, stage, hook, r, r)
	}
}

// Body takes one chunk of the body; it is only valid during the call.
func (s *Session) Body(chunk []byte) {
	m := s.msg
	if m == nil {
		return
	}
	m.Octets += int64(len(chunk))
	if s.exempt() || m.condemned {
		return
	}
	if f := m.dkim.Load(); f != nil {
		f.spool.write(chunk)
	}
	for _, b := range s.policy().hooks.body {
		if s.runs(b) {
			s.runBody(b, chunk)
		}
	}
}

func (s *Session) runBody(b *bound, chunk []byte) {
	defer s.caught(b, StageEnd)
	b.hooks.Body(s.msg, chunk)
}

// EndOfMessage judges the whole message and answers for it.
func (s *Session) EndOfMessage(queueID string) Answer {
	defer s.took(StageEnd, time.Now())
	s.surviveFault()
	m := s.msg
	if m == nil {
		return Answer{}
	}
	if m.QueueID == "" {
		m.QueueID = queueID
	}
	if s.exempt() {
		s.endMessage(Accepted)
		return Answer{}
	}
	if f := m.dkim.Load(); f != nil {
		f.spool.close(nil)
	}
	s.admit()
	if !m.condemned {
		for _, b := range s.policy().hooks.message {
			if s.runs(b) {
				judge(s, b, StageEnd, b.hooks.Message, m, nil)
			}
		}
		for _, b := range s.policy().hooks.messageFor {
			s.judgeEach(b, StageEnd, b.hooks.MessageFor)
		}
	}
	answer := s.answerMessage()
	s.endMessage(Accepted)
	return answer
}

// Abort ends the transaction, if there is one. It is harmless after a finished message, where Postfix sends it too.
func (s *Session) Abort() { s.endMessage(Abandoned) }

// Close ends the session.
func (s *Session) Close() {
	s.endMessage(Lost)
	s.endConnection()
}
