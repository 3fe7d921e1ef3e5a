package replay

import (
	"slices"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// Kind is what becomes of a decision under another policy.
type Kind string

const (
	Unchanged  Kind = "unchanged"
	Refused    Kind = "newly_refused"  // it passed then
	Accepted   Kind = "newly_accepted" // it did not
	Changed    Kind = "changed_reply"  // it passes neither then nor now, for another reason or with another code
	CannotTell Kind = "cannot_tell"
)

// Kinds are all of them, in the order in which they are told.
var Kinds = []Kind{Unchanged, Refused, Accepted, Changed, CannotTell}

// Result is what becomes of one recipient of a recorded message, or of a message without one.
type Result struct {
	Kind        Kind      `json:"kind"`
	Time        time.Time `json:"time"`
	Host        string    `json:"host,omitempty"`
	ID          string    `json:"id,omitempty"` // of the decision then
	Session     string    `json:"session"`
	Transaction int       `json:"transaction"`
	Client      string    `json:"client,omitempty"`
	Sender      string    `json:"sender"`
	Recipient   string    `json:"recipient,omitempty"`
	From        Decision  `json:"from"`
	To          Decision  `json:"to"`
	// Unknown says which checks cannot tell, and why. They matter where the kind is CannotTell.
	Unknown []Unknown `json:"unknown,omitempty"`
	// Note says what the result leaves open.
	Note string `json:"note,omitempty"`
}

// Unknown is a check that cannot judge again.
type Unknown struct {
	Check string `json:"check"`
	Why   string `json:"why"`
}

// neverSent is about a message that was refused before its content came.
const neverSent = "its content never came, so nothing can be said of that"

func (p *play) results() []Result {
	t := p.t
	if len(t.Recipients) == 0 {
		if p.early == nil && !t.Bad() {
			return []Result{p.result("", t.Outcome, Decision{})}
		}
		to := Decision{}
		if p.early != nil {
			to = *p.early
		}
		return []Result{p.complete(p.result("", t.Outcome, to))}
	}
	results := make([]Result, 0, len(t.Recipients))
	for i, r := range t.Recipients {
		results = append(results, p.complete(p.result(r.Recipient, r.Outcome, p.decision(i))))
	}
	return results
}

// decision is what is said of a recipient now.
func (p *play) decision(i int) Decision {
	d := p.each[i]
	switch {
	case d.Fate == policy.RefusedByMTA:
		return d
	case p.early != nil:
		return *p.early
	case d.Refuses():
		return d
	case p.whole != nil:
		return *p.whole
	}
	if off, ok := p.removed[p.t.Recipients[i].Recipient]; ok {
		return off
	}
	return Decision{}
}

func (p *play) result(recipient string, then policy.Outcome, to Decision) Result {
	t := p.t
	r := Result{
		Kind: Unchanged, Time: t.Begun, Host: t.Host, ID: then.Event, Session: t.Session, Transaction: t.Number, Sender: t.Sender,
		Recipient: recipient, From: Decision{Fate: then.Fate, Check: then.Check, Reply: then.Reply}, To: to,
	}
	if t.Client.IsValid() {
		r.Client = t.Client.String()
	}
	return r
}

// complete says what has become of the decision.
func (p *play) complete(r Result) Result {
	if r.From.Fate == policy.RefusedByMTA {
		return r
	}
	if e := p.events[r.ID]; e != nil && r.From.Refuses() {
		r.From.Line, r.From.Cause = e.Line, e.Cause
	}
	missing := p.missing(r.Recipient)
	switch {
	case r.To.Refuses() && !r.From.Refuses():
		r.Kind = Refused
	case r.To.Refuses() && r.From.same(r.To):
	case r.To.Refuses() && slices.ContainsFunc(missing, func(u Unknown) bool { return u.Check == r.From.Check }):
		r.Kind, r.Unknown = CannotTell, missing
	case r.To.Refuses():
		r.Kind = Changed
	case len(missing) > 0:
		r.Kind, r.Unknown = CannotTell, missing
		if r.From.Refuses() && !slices.ContainsFunc(missing, func(u Unknown) bool { return u.Check == r.From.Check }) {
			r.Note = r.From.Check + " would let it pass"
		}
	case r.From.Refuses():
		r.Kind = Accepted
		if !ended(p.t) {
			r.Note = neverSent
		}
	default:
		r.To = r.From // it passes: what the client did then is not for us to say
	}
	return r
}

// missing are the checks that cannot tell about a recipient, each once.
func (p *play) missing(recipient string) (list []Unknown) {
	for _, u := range p.unknown {
		if recipient != "" && u.recipient != "" && u.recipient != recipient {
			continue
		}
		if !slices.ContainsFunc(list, func(other Unknown) bool { return other.Check == u.check }) {
			list = append(list, Unknown{u.check, u.why})
		}
	}
	slices.SortStableFunc(list, func(a, b Unknown) int { return strings.Compare(a.Check, b.Check) })
	return list
}

// reason is the end of an error, without what it is about.
func reason(why string) string {
	for _, err := range []error{policy.ErrNoBody, errNotKept, trace.ErrLeftOut, trace.ErrNotRecorded} {
		if strings.HasSuffix(why, err.Error()) {
			return err.Error()
		}
	}
	return why
}
