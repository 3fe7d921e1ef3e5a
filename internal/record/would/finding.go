package would

import (
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// What is remembered at most, in numbers. What is beyond it is counted as untold, and said.
const (
	mostFindings   = 1_000_000
	mostKeys       = 2_000_000 // of each kind
	mostRecipients = 50        // of one finding
)

// finding is one would-be refusal, with what has come to light about it; or several that share an
// id, and then its members tell about it.
type finding struct {
	// entry is the decision. A member's own is the message, and sum is the index of the finding
	// that it is a member of; sum is -1 for others.
	entry record.Position
	sum   int32
	// next is the next finding of the same transaction, -1 for none.
	next int32
	// transaction is that of the decision, the first one of a sum.
	transaction key
	// begun is when it was decided, ended when the last of a sum was; at is when its message was
	// over.
	begun, ended, at int64
	check            uint16
	times            int32
	recipient        key // its only one, 0 where it is about none or several
	sender, client   key
	// pairs are where its pairs stand in the list of all, and how many.
	pairs     int32
	pairCount int16
	// members is how many of a sum have a member that tells of them.
	members int32
	seen
}

// seen is what the record shows about a finding, one bit each.
type seen uint16

const (
	isSum             seen = 1 << iota // it stands for several
	told                               // its message is in the record
	notCounted                         // a permit exists that did not count
	permittedByPerson                  // a person permitted the sender
	forged                             // SPF: the client may not use the sender
	refusedAnyway                      // it was refused for another reason
	deferredAnyway                     // it was deferred for another reason
	gone                               // the client went away
	others                             // other monitored checks object, too
)

func (s seen) has(bits seen) bool { return s&bits != 0 }

// add takes a decision.
func (e *evidence) add(entry record.Entry) {
	event := entry.Event
	c := e.check(event.Check)
	times := 1
	if event.Dedup != nil {
		times = event.Dedup.Times
	}
	c.count(event, times)
	if len(e.findings) >= mostFindings {
		e.full = true
		c.Untold += times
		return
	}
	f := finding{
		entry: entry.Position, sum: -1, next: -1, times: int32(times), check: e.names.number(event.Check),
		begun: event.Time.UnixNano(), ended: event.Time.UnixNano(),
		client: e.keys.client(event.Client), transaction: e.keys.transaction(event.Host, event.Session, event.Transaction),
	}
	if event.HasSender {
		f.sender = e.keys.sender(address.Parse(event.Sender))
	}
	if len(event.Recipients) == 1 && event.Count <= 1 {
		f.recipient = e.keys.of(address.Parse(event.Recipients[0]).Key())
	}
	if permitIgnored(event) {
		f.seen |= notCounted
	}
	index := int32(len(e.findings))
	switch {
	case event.Dedup != nil:
		f.seen |= isSum
		f.ended = event.Dedup.Last.UnixNano()
		alike := e.keys.alike(event.Check, event.Dedup.Alike, event.Client, event.Sender)
		e.sums[alike] = append(e.sums[alike], index)
	case event.Transaction > 0:
		if first, ok := e.byTransaction[f.transaction]; ok {
			f.next = first
		}
		e.byTransaction[f.transaction] = index
	}
	e.watchClient(f.client)
	e.findings = append(e.findings, f)
}

// count counts a decision by what it would have done.
func (c *Check) count(event *policy.Event, times int) {
	c.Total += times
	switch {
	case event.Action == policy.ActionWouldChange:
		c.Change += times
	case event.Line.Code()/100 == 4:
		c.Defer += times
	default:
		c.Refuse += times
	}
	if c.Begun.IsZero() || event.Time.Before(c.Begun) {
		c.Begun = event.Time
	}
}

// permitIgnored reports whether a permit for the mail exists that did not count.
func permitIgnored(event *policy.Event) bool {
	for _, q := range event.Trace {
		if strings.HasPrefix(q.Answer, policy.PermitNotCounted) {
			return true
		}
	}
	return false
}

// covers reports whether a sum may be about a message.
func (f *finding) covers(t *policy.Transaction) bool {
	return f.begun <= t.Ended.UnixNano() && t.Begun.UnixNano() <= f.ended
}
