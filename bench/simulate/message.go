package main

import "time"

// mail is what greylisting knows of a message's client, sender and recipients.
type mail uint8

const (
	known     mail = iota
	fresh          // for the first time; it comes back
	returning      // it comes back in time
	spam           // for the first time; it does not come back
)

// message is one message of a session.
type message struct {
	*session
	mail     mail
	first    bool          // nothing has been asked about the client yet
	begun    time.Duration // when the client asked for what is answered next
	accepted int           // recipients
	// triplet are the buckets of the recipient's rows: known, pending, the net's.
	triplet [readsOfTriplet]uint8
	// leases are the buckets of the places that the message holds, once it is held.
	leases [leasesOfMessage]uint8
	held   bool
}

// recipient asks what is to be known before RCPT is answered: greylisting, and all others, at once.
func (m *message) recipient() {
	var room [readsOfTriplet + readsOfReputation + leasesOfMessage + 1]asked
	rows := m.some(room[:0], get, readsOfTriplet)
	for i := range rows {
		m.triplet[i] = rows[i].bucket
	}
	others := append(rows[readsOfTriplet:], asked{get, m.site.anyBucket()}) // auto-allow: user and sender
	if m.first {
		m.first = false
		others = append(others, asked{get, m.history}, asked{get, m.knownNet})
	}
	if !m.held {
		m.held = true
		m.leases = [leasesOfMessage]uint8{m.bucket(), m.site.anyBucket()} // of the client, of the domain
		others = append(others, asked{lease, m.leases[0]}, asked{lease, m.leases[1]})
	}
	open, looked := 2, false
	then := func() {
		if open--; open == 0 {
			m.entries(looked)
		}
	}
	m.ask(rows, func(ok bool) { looked = ok; then() })
	m.ask(others, func(bool) { then() })
}

// entries asks what the recipient has to say about the sender, if he has anything to say.
func (m *message) entries(looked bool) {
	if m.flood || !m.site.chance(m.site.mail.managed) {
		m.answer(looked, true)
		return
	}
	m.ask(m.site.entriesOfUser(), func(told bool) { m.answer(looked, told) })
}

// entriesOfUser is what is asked of a recipient who has entries of his own.
func (w *site) entriesOfUser() (what []asked) {
	for range readsOfManaged {
		what = append(what, asked{get, w.anyBucket()})
	}
	return what
}

// answer answers RCPT. What greylisting could not find out lets the mail pass; what a recipient may
// have to say has it come again. What the others could not find out lets it pass, too.
func (m *message) answer(looked, told bool) {
	w := m.site
	if !m.flood {
		w.seen.answer(m.begun, w.clock.now)
	}
	if !looked {
		w.seen.unchecked++
	}
	switch {
	case !told:
		w.seen.falsely++
	case looked && (m.mail == fresh || m.mail == spam):
		m.wait()
	default:
		m.accepted++
	}
	switch {
	case !m.flood && w.chance(w.mail.others):
		m.begun = w.clock.now
		m.cpu.serve(w.about(cpuAnother), m.recipient)
	case m.accepted == 0:
		m.end(2)
	default:
		w.clock.after(dataTakes, func() {
			m.cpu.serve(w.about(cpuEnd), func() {
				m.learn(looked)
				m.end(1)
			})
		})
	}
}

// end gives back what the message holds, and records so many entries of it.
func (m *message) end(entries int) {
	m.ask([]asked{{giveUp, m.leases[0]}, {giveUp, m.leases[1]}}, func(bool) {})
	m.record.add(entries)
	m.next()
}
