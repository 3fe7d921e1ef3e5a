package replay

import (
	"errors"
	"slices"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/runner"
	"mailweir/internal/trace"
)

// Judge judges recorded mail under a policy.
type Judge struct {
	world  *World
	reader record.Reader
	policy *runner.Policy
	runner *runner.Runner
	told   *told
	// known are the digests of the checks, by those of the policies that judged then; now are those
	// of the policy.
	known map[string]Policy
	now   Policy
}

// Policy is what is known of a policy: the digests of what each check judges by, and that of
// the administrator's permits.
type Policy map[string]string

// NewJudge returns a judge for a policy that was built in the world. known are the policies that
// judged then, as far as they are known, by their digests. Close ends it, and the policy.
func NewJudge(world *World, p *runner.Policy, reader record.Reader, known map[string]Policy) *Judge {
	j := &Judge{world: world, reader: reader, policy: p, told: &told{}, known: known, now: digests(p)}
	j.runner = runner.NewRunner(p, j.told, runner.DefaultLimits)
	return j
}

// Close ends the judge.
func (j *Judge) Close() { j.runner.Close() }

// told is the observer of one case: it keeps the events of the answer under way.
type told struct{ events []*policy.Event }

func (t *told) Record(e *policy.Event)         { t.events = append(t.events, e) }
func (t *told) Identify(*policy.Event) string  { return "" }
func (*told) Settled(*policy.Transaction)      {}
func (*told) Defect(error)                     {}
func (*told) Keeps() bool                      { return false }
func (*told) Dropped()                         {}
func (*told) Opened(*policy.Connection)        {}
func (*told) Closed(*policy.Connection)        {}
func (*told) Took(policy.Stage, time.Duration) {}

// Decision is what is said to a recipient, or to a message that has none.
type Decision struct {
	Fate  policy.Fate `json:"fate"`
	Check string      `json:"check,omitempty"`
	Reply string      `json:"reply,omitempty"` // its id
	Line  policy.Line `json:"line,omitzero"`   // what the client read, as far as that is known
	Cause string      `json:"cause,omitempty"`
}

// Refuses reports whether the mail does not pass.
func (d Decision) Refuses() bool {
	return d.Fate == policy.Refused || d.Fate == policy.Deferred || d.Fate == policy.Removed
}

// same reports whether the client is told the same, as far as both are known.
func (d Decision) same(other Decision) bool {
	return d.Fate == other.Fate && d.Check == other.Check && d.Reply == other.Reply &&
		(d.Line.Code() == 0 || other.Line.Code() == 0 || d.Line.Code() == other.Line.Code() && d.Line.Enhanced() == other.Line.Enhanced())
}

// unknown is what a check cannot tell.
type unknown struct {
	check, why, recipient string
	stage                 policy.Stage
}

// play is one case in the course of being judged.
type play struct {
	j       *Judge
	t       *policy.Transaction
	events  map[string]*policy.Event // then, by their ids
	session *runner.Session
	unknown []unknown
	early   *Decision // about client and sender
	each    []Decision
	whole   *Decision // about the message
	removed map[string]Decision
}

// Judge judges a recorded message again: what is said to each of its recipients now, to those that
// are named, and what cannot be told. events are the decisions that its outcomes name, as far as
// they are known; decisions finds all about it.
func (j *Judge) Judge(t *policy.Transaction, events map[string]*policy.Event, decisions func() ([]*policy.Event, error)) []Result {
	p := newPast(t)
	p.policy, p.now, p.then, p.decisions = j.policy, j.now, j.known[t.Policy], decisions
	p.events = events
	p.permits = p.then != nil && p.then[permits] == p.now[permits]
	j.world.now.Store(p)
	defer j.world.now.Store(nil)
	one := &play{j: j, t: t, events: events, removed: map[string]Decision{}}
	one.session = j.runner.NewReplayer(p, one.tell)
	one.run()
	one.session.Close()
	return one.results()
}

func (p *play) tell(f runner.Finding) {
	if f.Err != nil && notRecorded(f.Err) && f.Mode.Refuses() {
		p.unknown = append(p.unknown, unknown{f.Check, f.Cause, f.Recipient, f.Stage})
	}
}

// step returns what an answer decides, nil for one that lets the mail go on.
func (p *play) step(a policy.Answer) *Decision {
	events := p.j.told.events
	p.j.told.events = nil
	for _, e := range events {
		if e.Action == policy.ActionRemoved && len(e.Recipients) == 1 {
			p.removed[e.Recipients[0]] = decided(policy.Removed, e)
		}
	}
	if !a.Refuses() {
		return nil
	}
	for _, e := range slices.Backward(events) {
		switch e.Action {
		case policy.ActionRefused:
			d := decided(policy.Refused, e)
			return &d
		case policy.ActionDeferred:
			d := decided(policy.Deferred, e)
			return &d
		}
	}
	return &Decision{Fate: policy.Refused, Line: a.Line}
}

func decided(fate policy.Fate, e *policy.Event) Decision {
	return Decision{Fate: fate, Check: e.Check, Reply: e.Reply, Line: e.Line, Cause: e.Cause}
}

func (p *play) run() {
	t, s := p.t, p.session
	p.j.told.events = nil
	s.Connect(connect(t))
	p.early = p.step(s.Helo(policy.HeloFacts{Name: t.Helo, TLS: t.TLS}))
	begun := p.step(s.Mail(policy.MailFacts{
		Sender: t.Sender, Size: t.DeclaredSize, SMTPUTF8: t.Facts.SMTPUTF8, Login: t.Login, AuthType: t.Facts.AuthType, QueueID: t.QueueID,
	}))
	if p.early == nil {
		p.early = begun
	}
	for _, r := range t.Recipients {
		facts := policy.RcptFacts{Recipient: r.Recipient, Spelling: "<" + r.Recipient + ">", QueueID: t.QueueID}
		if r.Fate == policy.RefusedByMTA {
			s.RcptRefusedByMTA(facts)
			p.each = append(p.each, Decision{Fate: policy.RefusedByMTA})
			continue
		}
		if d := p.step(s.Rcpt(facts)); d != nil {
			p.each = append(p.each, *d)
		} else {
			p.each = append(p.each, Decision{})
		}
	}
	if ended(t) && p.accepts() {
		for _, f := range fields(t) {
			s.Header(f, t.QueueID)
		}
		s.EndOfHeaders()
		p.whole = p.step(s.EndOfMessage(t.QueueID))
	}
}

// accepts reports whether the message would be sent now.
func (p *play) accepts() bool {
	return p.early == nil && slices.ContainsFunc(p.each, func(d Decision) bool { return d.Fate == policy.Accepted })
}

func connect(t *policy.Transaction) policy.ConnectFacts {
	f := t.Facts
	return policy.ConnectFacts{
		Client: t.Client, Port: f.Port, Name: t.ClientName, Unverified: f.Unverified,
		DaemonName: f.DaemonName, DaemonPort: f.DaemonPort, NoNetwork: f.Local,
	}
}

// fields are the header fields that the record has, and as many others as are counted in it.
func fields(t *policy.Transaction) (list []policy.Field) {
	for range t.Facts.Hops {
		list = append(list, policy.Field{Name: "Received", Value: "(recorded)"})
	}
	for _, f := range []policy.Field{{Name: "From", Value: t.From}, {Name: "Subject", Value: t.Subject}, {Name: "Message-Id", Value: t.MessageID}} {
		if f.Value != "" {
			list = append(list, f)
		}
	}
	return list
}

func notRecorded(err error) bool { return errors.Is(err, trace.ErrNotRecorded) }
