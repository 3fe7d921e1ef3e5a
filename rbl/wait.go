package rbl

import (
	"context"
	"errors"

	"mailweir/internal/dns"
)

// news is an answer to one of a board's questions.
type news struct {
	i    int
	text bool // the answer is a TXT
	dns.Arrival
}

// run asks the lists and waits for what is needed.
func (b *board) run(ctx context.Context) {
	members := b.set.members
	ch := make(chan news, 2*len(members)) // an A and a TXT of each: delivering never blocks
	waits := make([]*dns.Wait, 2*len(members))
	b.fromCache()
	undecided := b.set.complete || b.tally.verdict() == Unknown
	for i, m := range members {
		if (undecided || m.monitored) && b.answers[i] == nil && b.result.Lists[i].State == NotAsked {
			b.open++
			waits[i] = b.ask(ch, i, dns.A)
		}
	}
	b.wantText(ch, waits)
	for b.waiting(waits) {
		select {
		case n := <-ch:
			b.receive(n)
			b.wantText(ch, waits)
		case <-ctx.Done():
			b.drain(ch)
			b.giveUp(ctx.Err(), ch, waits)
			b.settle()
			return
		}
	}
	b.drain(ch)
	b.leave(ch, waits)
	b.settle()
}

// drain takes what has come in without waiting.
func (b *board) drain(ch chan news) {
	for {
		select {
		case n := <-ch:
			b.receive(n)
		default:
			return
		}
	}
}

// waiting: until the verdict stands, or every list has spoken; and a reply needs the text of its
// list.
func (b *board) waiting(waits []*dns.Wait) bool {
	if b.open > 0 && (b.set.complete || b.tally.verdict() == Unknown) {
		return true
	}
	n := len(b.texts)
	return b.tally.verdict() == Listed && b.top >= 0 && waits[n+b.top] != nil && b.texts[b.top] == nil
}

// fromCache takes what is known already, and leaves out lists that are suspended.
func (b *board) fromCache() {
	for i, m := range b.set.members {
		if b.answers[i] != nil {
			continue
		}
		if r := m.list.suspended.Load(); r != nil {
			b.result.Lists[i].State, b.result.Lists[i].Why = Suspended, r.why
			b.tally.drop(m)
			m.list.use.skipped.Add(1)
			continue
		}
		if a, ok := b.set.lists.resolver.Peek(b.question(i, dns.A)); ok {
			b.open++
			b.receive(news{i: i, Arrival: a})
		}
	}
}

func (b *board) ask(ch chan news, i int, t dns.Type) *dns.Wait {
	return b.set.lists.resolver.Join(b.question(i, t), func(a dns.Arrival) { ch <- news{i, t == dns.TXT, a} })
}

// wantText asks the list that would be named in the reply for its text, while others may still be
// silent.
func (b *board) wantText(ch chan news, waits []*dns.Wait) {
	n := len(b.texts)
	if b.top >= 0 && waits[n+b.top] == nil {
		waits[n+b.top] = b.ask(ch, b.top, dns.TXT)
	}
}

func (b *board) receive(n news) {
	if n.text {
		b.texts[n.i] = n.Answer
		return
	}
	li := b.set.members[n.i].list
	b.open--
	if !n.Cached {
		b.result.Lists[n.i].Took = b.set.lists.now().Sub(b.began)
		if n.Answer.Status != dns.Failed {
			li.use.latency.Took(b.result.Lists[n.i].Took)
		}
	}
	state := b.take(n.i, n.Answer)
	b.result.Lists[n.i].Cached = n.Cached
	b.expires = min(b.expires, n.Expires)
	b.set.lists.account(li, state, n.Answer, b.result.Lists[n.i].Err)
}

// account counts one list's answer and feeds its breaker.
func (l *Lists) account(li *list, state State, cause any, err error) {
	li.use.asked.Add(1)
	switch state {
	case Errored:
		li.use.errors.Add(1)
		if l.opt.Recorded {
			break
		}
		l.report(li.failed(l.now(), cause, err.Error())...)
		return
	case Hit:
		li.use.hits.Add(1)
	}
	li.answered()
}

// giveUp is for lists that were silent until the end: after a deadline that is their failure,
// otherwise nobody waits any more.
func (b *board) giveUp(why error, ch chan news, waits []*dns.Wait) {
	b.expires = 0
	late := errors.Is(why, context.DeadlineExceeded)
	for i := range b.set.members {
		if waits[i] == nil || b.answers[i] != nil {
			continue
		}
		w := waits[i]
		leave := w.Leave
		if late {
			leave = w.GiveUp
		}
		if !leave() {
			continue
		}
		waits[i] = nil
		if !late {
			continue
		}
		silent := dns.Answer{Err: &dns.Error{Failure: dns.Timeout}}
		state := b.take(i, &silent)
		b.set.lists.account(b.set.members[i].list, state, w.Flight(), silent.Err)
	}
	b.leave(ch, waits)
}

// leave ends what is not needed any more. Monitored lists go on being heard.
func (b *board) leave(ch chan news, waits []*dns.Wait) {
	for i, w := range waits {
		switch {
		case w == nil:
		case i >= len(b.answers) || b.answers[i] != nil || !b.set.members[i].monitored:
			w.Leave()
		case !b.listen(i, w):
			for b.answers[i] == nil { // it is being delivered
				b.receive(<-ch)
			}
		}
	}
}

// settle fills in the result and counts what only the whole shows.
func (b *board) settle() {
	b.finish()
	if b.result.Err() != nil {
		b.expires = 0
	}
	if b.late != nil {
		b.result.late = b.late
		b.late.told(b.result, b.expires)
		return
	}
	b.set.count(b.result)
	if b.expires != 0 {
		b.remember(b.result, b.expires)
	}
}

// count notes which lists hit together, and which one alone.
func (s *Set) count(r *Result) {
	hits := r.Hits()
	s.lists.overlap.note(hits)
	if len(hits) != 1 {
		return
	}
	for i := range r.Lists {
		if r.Lists[i].State == Hit {
			s.members[i].list.use.alone.Add(1)
		}
	}
}
