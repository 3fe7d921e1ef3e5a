package would

import (
	"slices"

	"mailweir/internal/policy"
)

// A sum stands for decisions that were alike, and names the transaction of the first alone. But
// each message says which checks would have refused it: so it is known what the sum stands for.

// members finds the would-be refusals of a message that have no entry of their own, and counts them
// to the sum that stands for them.
func (e *evidence) members(l *letter) {
	if len(e.sums) == 0 {
		return
	}
	for _, name := range l.objectors() {
		if e.checks[name] == nil {
			continue // its decisions are not asked for
		}
		n := l.objections(name) - e.alone(l, name)
		if n <= 0 {
			continue
		}
		if sum := e.sumOf(l, name); sum >= 0 {
			e.join(sum, l, n)
		}
	}
}

// objectors are the monitored checks that objected to the message or to a recipient.
func (l *letter) objectors() []string {
	if len(l.Would) == 0 && !slices.ContainsFunc(l.recipients, func(r addressee) bool { return len(r.Would) > 0 }) {
		return nil
	}
	list := slices.Clone(l.Would)
	for _, r := range l.recipients {
		list = append(list, r.Would...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// objections is how many decisions of a check there were: one a recipient, or one about the
// message.
func (l *letter) objections(check string) (n int) {
	for _, r := range l.recipients {
		if slices.Contains(r.Would, check) {
			n++
		}
	}
	return max(n, 1)
}

// alone is how many decisions of a check about the message have an entry of their own.
func (e *evidence) alone(l *letter, check string) (n int) {
	for i, ok := e.byTransaction[e.keys.transaction(l.Host, l.Session, l.Number)]; ok && i >= 0; i = e.findings[i].next {
		if e.names[e.findings[i].check] == check {
			n++
		}
	}
	return n
}

// sumOf is the index of the sum that stands for a decision about the message, -1 for none.
func (e *evidence) sumOf(l *letter, check string) int32 {
	for _, how := range []policy.Alike{policy.AlikeDomain, policy.AlikeClient, policy.AlikeCheck} {
		for _, i := range e.sums[e.keys.alike(check, how, l.Client, l.Sender)] {
			if f := &e.findings[i]; f.members < f.times && f.covers(l.Transaction) {
				return i
			}
		}
	}
	return -1
}

// join counts decisions about a message to a sum.
func (e *evidence) join(sum int32, l *letter, n int) {
	if len(e.findings) >= mostFindings {
		e.full = true
		return
	}
	s := &e.findings[sum]
	n = min(n, int(s.times-s.members))
	s.members += int32(n)
	f := finding{
		entry: l.position, sum: sum, next: -1, times: int32(n), check: s.check, begun: l.Begun.UnixNano(),
		sender: e.keys.sender(l.sender), client: e.keys.client(l.Client), transaction: e.keys.transaction(l.Host, l.Session, l.Number),
	}
	if f.transaction == s.transaction {
		f.seen |= s.seen & notCounted
	}
	e.watchClient(f.client)
	e.tell(&f, l)
	e.findings = append(e.findings, f)
}
