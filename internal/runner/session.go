package runner

import (
	"context"
	"slices"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/byhand"
	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// Session runs the policy for one SMTP connection: several messages, refused recipients, RSET, a
// second EHLO. The wire calls its methods one at a time, in the order of the dialog, and sends what
// they answer.
type Session struct {
	runner *Runner
	id     string
	helo   *policy.HeloFacts // the latest, nil before the first
	conn   *connection
	msg    *message
	// transactions counts those of this connection.
	transactions int
	faulted      error // a fault between messages, for the next one to answer
	background   queue
	began        time.Time     // when the MTA asked what is being answered
	carrier      trace.Carrier // of questions that never wait
	patience     patience
	tell         func(Finding) // set by explain, which runs every check and waits for it
	orders       byhand.Orders // checks that only monitor by order of a person, for the answer under way
	past         Past          // set where a recorded case is judged
}

// NewSession returns the session of a new SMTP connection.
func (rn *Runner) NewSession() *Session {
	return &Session{runner: rn, id: policy.NewID(), background: queue{runner: rn}, carrier: trace.Carrier{Context: rn.ctx}}
}

// NewExplainer returns a session that runs every check, waits for each, and tells what it said. It
// goes on after a refusal, so that one case shows all there is to know.
func (rn *Runner) NewExplainer(tell func(Finding)) *Session {
	s := rn.NewSession()
	s.tell = tell
	return s
}

// ID names the session in the log.
func (s *Session) ID() string { return s.id }

func (s *Session) policy() *Policy { return s.conn.policy }

// Connect begins the session. No reply is owed: Postfix and Sendmail throw the text of one away.
func (s *Session) Connect(facts policy.ConnectFacts) {
	s.Close()
	defer s.patience.over()
	s.helo = nil
	if facts.Client.IsValid() {
		facts.Client = policy.Unmapped(facts.Client)
	}
	s.openConnection(facts, s.now())
	s.runner.observer.Opened(&s.conn.Connection)
}

// openConnection makes a connection scope under the current policy, from facts that may be recorded
// ones.
func (s *Session) openConnection(facts policy.ConnectFacts, started time.Time) {
	p := s.runner.acquire()
	s.heed()
	c := &connection{Connection: policy.Connection{ConnectFacts: facts, ID: s.id, Started: started}, policy: p}
	c.Holder = &c.scope
	s.conn = c
	c.Service = service(p.Settings, facts)
	c.Local = facts.NoNetwork || facts.Port == 0 && facts.Name == "localhost" && facts.Client.IsLoopback()
	s.findClient(c)
	if s.exempt() {
		return
	}
	for _, b := range p.hooks.connect {
		if s.applies(b) {
			judge(s, b, policy.StageConnect, b.hooks.Connect, &c.Connection, &c.scope, nil)
		}
	}
}

// exempt reports whether nothing is checked, counted or learned: re-injected mail has been through
// here.
func (s *Session) exempt() bool { return s.conn.Service == policy.Reinject }

// applies reports whether the check is to run for this client at all, as far as is known without
// waiting.
func (s *Session) applies(b *bound) bool {
	exempt := s.conn.Exempt
	if s.msg != nil {
		exempt |= s.msg.Exempt
	}
	return b.Exempt&exempt == 0 || s.explaining()
}

// runs reports whether the check is to run for the message under way.
func (s *Session) runs(b *bound) bool {
	return s.applies(b) && !slices.Contains(s.msg.broken, b)
}

// begin begins an answer.
func (s *Session) begin() time.Time {
	s.began = time.Now()
	return s.began
}

// took ends an answer, and tells the observer how long it took. This clock measures, it decides
// nothing.
func (s *Session) took(stage policy.Stage, began time.Time) {
	s.patience.over()
	s.runner.observer.Took(stage, time.Since(began))
}

func (s *Session) now() time.Time { return s.runner.Policy().backends.Clock() }

// Helo takes HELO or EHLO, which also ends a transaction (RFC 5321 section 4.1.4). Only a refusal
// to serve at all (421) is answered here.
func (s *Session) Helo(facts policy.HeloFacts) policy.Answer {
	defer s.took(policy.StageHelo, s.begin())
	s.ensureConnection()
	s.endMessage(policy.Abandoned)
	s.heed()
	s.helo = &facts
	s.conn.HeloFacts = facts
	if s.exempt() {
		return policy.Answer{}
	}
	s.dropFindings(policy.StageHelo)
	s.runHelo()
	return s.answerHelo()
}

func (s *Session) runHelo() {
	for _, b := range s.policy().hooks.helo {
		if s.applies(b) {
			judge(s, b, policy.StageHelo, b.hooks.Helo, &s.conn.Connection, &s.conn.scope, nil)
		}
	}
}

// dropFindings forgets what an earlier HELO led to: after STARTTLS the client begins again (RFC
// 3207 section 4.2).
func (s *Session) dropFindings(stage policy.Stage) {
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

// ensureConnection covers an MTA that leaves the connect step out: the client is then unknown and
// untrusted.
func (s *Session) ensureConnection() {
	if s.conn == nil {
		s.Connect(policy.ConnectFacts{})
	}
}

// renew moves the session to a newer policy, with the facts that are recorded.
func (s *Session) renew() {
	if s.runner.Policy() == s.conn.policy {
		return
	}
	old := s.conn
	s.background.do(s.closeScope(old))
	s.openConnection(old.ConnectFacts, old.Started)
	if s.helo != nil {
		s.conn.HeloFacts = *s.helo
		if !s.exempt() {
			s.runHelo()
		}
	}
}

// Mail begins a transaction. It keeps the policy that is current now.
func (s *Session) Mail(facts policy.MailFacts) policy.Answer {
	defer s.took(policy.StageMail, s.begin())
	s.ensureConnection()
	s.endMessage(policy.Abandoned)
	s.renew()
	s.heed()
	s.openMessage(facts)
	if s.exempt() {
		return policy.Answer{}
	}
	answer := s.answerMail()
	if answer.Refuses() && !s.explaining() {
		s.endMessage(policy.Refused)
	}
	return answer
}

func (s *Session) openMessage(facts policy.MailFacts) {
	s.transactions++
	m := &message{conn: s.conn, runner: s.runner, Message: policy.Message{
		MailFacts: facts, Conn: &s.conn.Connection, Number: s.transactions, Started: s.policy().backends.Clock(),
		Sender: address.Parse(facts.Sender), Helo: s.conn.HeloFacts,
	}}
	m.Holder, m.Inquiry, m.past = &m.scope, m, s.past
	if facts.Login != "" {
		m.Exempt |= policy.ExemptTrusted | policy.ExemptLogin
	}
	s.msg = m
	if !s.exempt() {
		s.findSender(m)
	}
	if s.faulted != nil {
		s.fail(s.faulted)
		s.faulted = nil
	}
}

// Rcpt judges one recipient, on its own: a refusal never touches another.
func (s *Session) Rcpt(facts policy.RcptFacts) policy.Answer {
	defer s.took(policy.StageRcpt, s.begin())
	if s.faulted != nil {
		s.surviveFault()
	}
	if s.msg == nil {
		return policy.Answer{}
	}
	s.heed()
	r := s.recipient(facts)
	if s.exempt() {
		s.msg.recipients = append(s.msg.recipients, r)
		return policy.Answer{}
	}
	return s.answerRecipient(r)
}

// RcptRefusedByMTA takes notice of a recipient that the MTA itself has refused. No answer is owed.
func (s *Session) RcptRefusedByMTA(facts policy.RcptFacts) {
	if s.msg == nil || s.exempt() {
		return
	}
	defer s.patience.over()
	s.dismiss(s.recipient(facts), policy.Outcome{Fate: policy.RefusedByMTA, At: s.now()})
}

func (s *Session) recipient(facts policy.RcptFacts) *recipient {
	m := s.msg
	if m.QueueID == "" {
		m.QueueID = facts.QueueID
	}
	m.named++
	r := &recipient{msg: m, number: m.named, Recipient: policy.Recipient{RcptFacts: facts, Msg: &m.Message, Address: address.Parse(facts.Recipient)}}
	r.Holder = &r.scope
	s.findRecipient(r)
	return r
}

// Header takes one header field. No reply is owed before the end of the message.
func (s *Session) Header(f policy.Field, queueID string) {
	m := s.msg
	if m == nil {
		return
	}
	if m.QueueID == "" {
		m.QueueID = queueID
	}
	octets := f.Octets()
	m.Octets += int64(octets)
	if s.exempt() {
		return
	}
	m.keep(f, octets)
	for _, b := range s.policy().hooks.header {
		if s.runs(b) {
			s.runHeader(b, f)
		}
	}
}

func (s *Session) runHeader(b *bound, f policy.Field) {
	defer s.caught(b, policy.StageHeaders)
	b.hooks.Header(&s.msg.Message, f)
}

// EndOfHeaders judges the header section. What it finds is answered at the end of the message.
func (s *Session) EndOfHeaders() {
	m := s.msg
	if m == nil || s.exempt() {
		return
	}
	s.heed()
	if s.explaining() && len(m.recipients) == 0 {
		m.recipients, m.gone = m.gone, nil // nobody remains, and yet all there is to know is to be shown
	}
	m.Octets += int64(len("\r\n"))
	if s.past != nil {
		m.FromUnknown = s.past.FromUnknown()
	}
	for _, b := range s.policy().hooks.headers {
		if s.runs(b) {
			judge(s, b, policy.StageHeaders, b.hooks.Headers, &m.Message, &m.scope, nil)
		}
	}
	for _, b := range s.policy().hooks.headersFor {
		s.judgeEach(b, policy.StageHeaders, b.hooks.HeadersFor)
	}
	if s.wantsDKIM() {
		m.KeepSigned(m.Sender.Domain)
	}
	m.condemned = s.refusalCertain()
	s.keepBody()
}

func (s *Session) judgeEach(b *bound, stage policy.Stage, hook func(*policy.Recipient) (policy.Verdict, error)) {
	if !s.runs(b) {
		return
	}
	for _, r := range s.msg.recipients {
		judge(s, b, stage, hook, &r.Recipient, &r.scope, r)
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
	if m.body != nil {
		_, _ = m.body.Write(chunk) // who reads it is told
	}
	for _, b := range s.policy().hooks.body {
		if s.runs(b) {
			s.runBody(b, chunk)
		}
	}
}

func (s *Session) runBody(b *bound, chunk []byte) {
	defer s.caught(b, policy.StageEnd)
	b.hooks.Body(&s.msg.Message, chunk)
}

// EndOfMessage judges the whole message and answers for it.
func (s *Session) EndOfMessage(queueID string) policy.Answer {
	defer s.took(policy.StageEnd, s.begin())
	s.surviveFault()
	m := s.msg
	if m == nil {
		return policy.Answer{}
	}
	if m.QueueID == "" {
		m.QueueID = queueID
	}
	if s.exempt() {
		s.endMessage(policy.Accepted)
		return policy.Answer{}
	}
	s.heed()
	m.signatures.Store(m.found) // the body is whole now
	if s.past != nil {
		m.Octets = s.past.Octets()
	}
	s.admit()
	if !m.condemned {
		for _, b := range s.policy().hooks.message {
			if s.runs(b) {
				judge(s, b, policy.StageEnd, b.hooks.Message, &m.Message, &m.scope, nil)
			}
		}
		for _, b := range s.policy().hooks.messageFor {
			s.judgeEach(b, policy.StageEnd, b.hooks.MessageFor)
		}
	}
	answer := s.answerMessage()
	s.endMessage(policy.Accepted)
	return answer
}

// Abort ends the transaction, if there is one. It is harmless after a finished message, where
// Postfix sends it too.
func (s *Session) Abort() { s.endMessage(policy.Abandoned) }

// Close ends the session.
func (s *Session) Close() {
	s.endMessage(policy.Lost)
	s.endConnection()
}

// patience is the time that an answer may take. It begins when something must be waited for, be it
// a fact that hooks read or what a check found, and ends with the answer.
type patience struct {
	ctx context.Context
	end context.CancelFunc
}

func (p *patience) context(rn *Runner, at policy.Stage) context.Context {
	if p.ctx == nil {
		limit := rn.limits.Stage
		if at == policy.StageEnd {
			limit = rn.limits.End
		}
		p.ctx, p.end = context.WithTimeout(rn.ctx, limit)
	}
	return p.ctx
}

func (p *patience) over() {
	if p.end != nil {
		p.end()
		p.ctx, p.end = nil, nil
	}
}
