package main

// wait remembers a first sight. Where that fails, the mail is new once more when it comes back.
func (m *message) wait() {
	w := m.site
	m.ask([]asked{{step, m.triplet[1]}}, func(ok bool) {
		if !ok && m.mail == fresh {
			w.seen.forgotten++
		}
	})
	m.cpu.serve(w.about(cpuRefused), func() {})
}

// learn writes what is learned from a message that was accepted, off the way of the answers, one
// check after the other: greylisting, reputation (who takes the history to be empty, is told what
// it is, and writes again), the rules of tempblock.
func (m *message) learn(looked bool) {
	w := m.site
	history := []asked{{step, m.history}}
	counts := m.some(m.some(nil, step, stepsOfTempblock), get, readsOfTempblock)
	rest := [][]asked{history, history, counts}
	switch {
	case looked && m.mail == returning:
		m.inTurn(append([][]asked{{
			{step, m.triplet[0]}, {step, m.triplet[1]}, {step, m.triplet[2]}, {step, m.knownNet},
		}}, rest...))
	case looked && m.mail == known && w.chance(shareRenewed):
		m.inTurn(append([][]asked{{{step, m.triplet[0]}, {step, m.knownNet}}}, rest...))
	default:
		m.inTurn(rest)
	}
}

// inTurn asks one thing after the other, whatever comes of each.
func (m *message) inTurn(what [][]asked) {
	if len(what) == 0 {
		return
	}
	m.ask(what[0], func(ok bool) {
		if !ok {
			m.site.seen.unlearned++
		}
		m.inTurn(what[1:])
	})
}
