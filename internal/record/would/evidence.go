package would

import (
	"hash/maphash"
	"slices"

	"mailweir/internal/address"
	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// evidence is what one pass over the record brings to light. Decisions come first, and then the
// messages in the order of time.
type evidence struct {
	keys     keys
	names    names
	checks   map[string]*Check
	findings []finding
	// byTransaction is the newest finding of each transaction.
	byTransaction map[key]int32
	// sums are those that stand for several, by what these have in common, in the order of time.
	sums map[key][]int32

	// pairs are those that findings are about; list has those of each finding in a row.
	pairs map[key]pairSeen
	list  []key
	// clients are those of findings.
	clients map[key]clientSeen
	// wrote are the addresses that users of ours have written to, permits what people permitted.
	wrote, permits map[key]struct{}

	accepted, outbound int // messages
	full               bool
}

// pairSeen is when a sender's mail to a recipient was last tried, accepted, and accepted while no
// check objected.
type pairSeen struct{ tried, accepted, clean int64 }

// clientSeen is which checks refused a client's mail: the first, as its number plus one, and
// whether there was another; and whether any was accepted while no check objected.
type clientSeen struct {
	refusedBy       uint16
	byOthers, clean bool
}

// byAnother reports whether another check than this refused mail.
func (c clientSeen) byAnother(check uint16) bool {
	return c.byOthers || c.refusedBy != 0 && c.refusedBy != check+1
}

func newEvidence() *evidence {
	return &evidence{
		keys: keys{maphash.MakeSeed()}, checks: map[string]*Check{}, byTransaction: map[key]int32{}, sums: map[key][]int32{},
		pairs: map[key]pairSeen{}, clients: map[key]clientSeen{}, wrote: map[key]struct{}{}, permits: map[key]struct{}{},
	}
}

func (e *evidence) check(name string) *Check {
	if e.checks[name] == nil {
		e.checks[name] = &Check{Name: name}
	}
	return e.checks[name]
}

// mostKnown is the number of recipients beyond which a message says nothing about whom a person
// knows. It is that of auto-allow.
const mostKnown = 50

// learn takes from an accepted message whom users of ours write to.
func (e *evidence) learn(t *policy.Transaction) {
	if address.Parse(t.Sender).IsNull() || t.RecipientCount > mostKnown {
		return
	}
	for _, r := range t.Recipients {
		if r.Direction != policy.Outbound.String() || r.Fate != policy.Accepted {
			continue
		}
		e.outbound++
		if len(e.wrote) >= mostKeys {
			e.full = true
			return
		}
		e.wrote[e.keys.sender(address.Parse(r.Recipient))] = struct{}{}
	}
}

// letter is a message as it is weighed.
type letter struct {
	*policy.Transaction
	position   record.Position
	sender     address.Address
	ended      int64
	recipients []addressee
}

// addressee is a recipient of it.
type addressee struct {
	*policy.RecipientOutcome
	key, pair key
}

func (e *evidence) letter(entry record.Entry) *letter {
	t := entry.Message
	l := &letter{Transaction: t, position: entry.Position, sender: address.Parse(t.Sender), ended: t.Ended.UnixNano()}
	for i := range t.Recipients {
		r := &t.Recipients[i]
		to := address.Parse(r.Recipient).Key()
		l.recipients = append(l.recipients, addressee{r, e.keys.of(to), e.keys.pair(l.sender, to, r.Direction)})
	}
	return l
}

// take takes a message. What it says about earlier findings comes before it is told about its own.
func (e *evidence) take(l *letter) {
	if l.Fate == policy.Accepted {
		e.accepted++
	}
	e.learn(l.Transaction)
	e.seeClient(l)
	e.seePairs(l)
	for i, ok := e.byTransaction[e.keys.transaction(l.Host, l.Session, l.Number)]; ok && i >= 0; i = e.findings[i].next {
		e.tell(&e.findings[i], l)
	}
	e.members(l)
}

func (e *evidence) seePairs(l *letter) {
	for _, r := range l.recipients {
		p, watched := e.pairs[r.pair]
		if !watched {
			continue
		}
		p.tried = max(p.tried, l.ended)
		if r.Fate == policy.Accepted {
			p.accepted = max(p.accepted, l.ended)
			if len(r.Would) == 0 && len(l.Would) == 0 {
				p.clean = max(p.clean, l.ended)
			}
		}
		e.pairs[r.pair] = p
	}
}

// watchClient has it noted what is refused of a client, and what accepted.
func (e *evidence) watchClient(k key) {
	if _, watched := e.clients[k]; !watched && k != 0 {
		e.clients[k] = clientSeen{}
	}
}

func (e *evidence) seeClient(l *letter) {
	k := e.keys.client(l.Client)
	c, watched := e.clients[k]
	if !watched {
		return
	}
	for _, r := range l.recipients {
		switch {
		case r.Fate == policy.Refused && r.Check != "":
			check := e.names.number(r.Check) + 1
			c.byOthers = c.byOthers || c.refusedBy != 0 && c.refusedBy != check
			c.refusedBy = check
		case r.Fate == policy.Accepted && len(r.Would) == 0 && len(l.Would) == 0:
			c.clean = true
		}
	}
	e.clients[k] = c
}

// tell notes what the message shows about a finding of its own.
func (e *evidence) tell(f *finding, l *letter) {
	check := e.names[f.check]
	concerned := l.concerned(f.recipient, check)
	f.seen |= told
	f.at = l.ended
	e.watch(f, concerned)
	f.seen |= outcomeOf(l, concerned)
	if l.SPF == mailauth.SPFFail {
		f.seen |= forged
	}
	if objectsBesides(check, l.Would) || slices.ContainsFunc(concerned, func(r addressee) bool { return objectsBesides(check, r.Would) }) {
		f.seen |= others
	}
	if len(e.permits) > 0 && slices.ContainsFunc(e.keys.subjects(l.sender), e.permitted) {
		f.seen |= permittedByPerson
	}
}

func (e *evidence) permitted(subject key) bool {
	_, ok := e.permits[subject]
	return ok
}

// concerned are the recipients that a finding is about: the one that it names, or those for whom
// the check objected, or else all.
func (l *letter) concerned(only key, check string) (list []addressee) {
	for _, r := range l.recipients {
		if r.key == only || only == 0 && slices.Contains(r.Would, check) {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return l.recipients
	}
	return list
}

// watch keeps the pairs of a finding, whose later mail is looked for.
func (e *evidence) watch(f *finding, concerned []addressee) {
	if f.sender == 0 {
		return // mail under the null sender has nothing to do with other such mail
	}
	f.pairs = int32(len(e.list))
	for _, r := range concerned[:min(len(concerned), mostRecipients)] {
		if len(e.list) >= mostKeys {
			e.full = true
			return
		}
		e.list = append(e.list, r.pair)
		f.pairCount++
		if _, watched := e.pairs[r.pair]; !watched {
			e.pairs[r.pair] = pairSeen{}
		}
	}
}

// outcomeOf is what became of the mail of a finding for all whom it concerns.
func outcomeOf(l *letter, concerned []addressee) seen {
	if len(concerned) == 0 {
		return seenOf(l.Fate)
	}
	all := refusedAnyway | deferredAnyway | gone
	for _, r := range concerned {
		all &= seenOf(r.Fate)
	}
	return all
}

func seenOf(fate policy.Fate) seen {
	switch fate {
	case policy.Refused, policy.Removed, policy.RefusedByMTA:
		return refusedAnyway
	case policy.Deferred:
		return deferredAnyway
	case policy.Abandoned, policy.Lost:
		return gone
	}
	return 0
}

func objectsBesides(check string, would []string) bool {
	return slices.ContainsFunc(would, func(name string) bool { return name != check })
}
