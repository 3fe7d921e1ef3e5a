package runner

import "context"

// recordLate records what is only monitored of client, sender or a recipient when it is known, off
// the way of the answer.
func (a *answering) recordLate() {
	late, then := a.late, a.resolver // as the case stands now
	ctx, cancel := a.session.background.lateTime()
	a.session.background.offer(func() {
		defer cancel()
		for i := range late {
			then.runner.begin(late[i].f)
		}
		for i := range late {
			ru := then.await(ctx, late[i])
			then.report(&ru)
			if ru.is != drop {
				then.record(&ru, ru.r)
			}
		}
	}, cancel)
}

// begin has the finding's question asked, if it has one that has not been asked yet.
func (rn *Runner) begin(f *finding) {
	if f.later != nil {
		rn.start(f.later)
	}
}

// lateGroups are findings about a message that are only monitored and not known when it is
// answered.
type lateGroups struct {
	resolver
	groups []group
	ctx    context.Context
	end    func()
}

// add keeps a group for later.
func (l *lateGroups) add(background *queue, rs *resolver, g group) {
	if len(l.groups) == 0 {
		l.resolver = *rs // as the case stands now
		ctx, cancel := background.lateTime()
		release := rs.msg.holdBody()
		l.ctx, l.end = ctx, func() { cancel(); release() }
	}
	for _, f := range g.findings {
		f.keep()
	}
	l.groups = append(l.groups, g)
}

// start has everything asked that has not been yet.
func (l *lateGroups) start(rn *Runner) {
	for _, g := range l.groups {
		for _, f := range g.findings {
			rn.begin(f)
		}
	}
}

// record records what a check has found, or with nil what all of the rest have, when it is known.
// It reports whether there was anything.
func (l *lateGroups) record(b *bound) (any bool) {
	rest := l.groups[:0]
	for _, g := range l.groups {
		if b != nil && g.check != b {
			rest = append(rest, g)
			continue
		}
		any = true
		l.awaitGroup(&g, func() context.Context { return l.ctx })
		l.recordWatched(l.aggregate(g))
	}
	if l.groups = rest; len(rest) == 0 {
		l.drop()
	}
	return any
}

// drop ends what is late without recording it.
func (l *lateGroups) drop() {
	l.groups = nil
	if l.end != nil {
		l.end()
		l.end = nil
	}
}
