package main

// session is one connection of a client.
type session struct {
	*host
	flood bool
	net   uint8 // the bucket of all that is about the client, where that lies together
	// history and knownNet are the buckets of what reputation and greylisting know of the client.
	history, knownNet uint8
}

// bucket is the bucket of some row about the client.
func (s *session) bucket() uint8 {
	if s.site.byNet {
		return s.net
	}
	return s.site.anyBucket()
}

// some are that many commands for rows about the client.
func (s *session) some(to []asked, k kind, n int) []asked {
	for range n {
		to = append(to, asked{k, s.bucket()})
	}
	return to
}

// connect has a client come to some host.
func (w *site) connect(flood bool) {
	h := w.hosts[w.random.IntN(len(w.hosts))]
	if h.open >= loadSessions {
		w.seen.overload++
		if !flood {
			w.seen.messages++
			w.seen.turnedAway++
		}
		return
	}
	h.open++
	w.seen.sessions.change(w.clock.now, 1)
	s := &session{host: h, flood: flood, net: w.anyBucket()}
	s.history, s.knownNet = s.bucket(), s.bucket()
	w.clock.after(beforeRcpt, func() { s.message(true) })
}

func (s *session) message(first bool) {
	w := s.site
	m := &message{session: s, mail: s.kindOfMail(), first: first, begun: w.clock.now}
	if !s.flood {
		w.seen.messages++
	}
	s.cpu.serve(w.about(cpuRcpt), m.recipient)
}

// kindOfMail is what greylisting knows of the next message.
func (s *session) kindOfMail() mail {
	draw, of := s.site.random.Float64(), s.site.mail
	switch {
	case s.flood || draw < of.spam:
		return spam
	case draw < of.spam+of.fresh:
		return fresh
	case draw < of.spam+of.fresh+of.returning:
		return returning
	}
	return known
}

// next is what follows a message: another one, or the end.
func (s *session) next() {
	w := s.site
	switch {
	case s.flood:
		w.clock.after(w.about(floodHolds), s.leave)
	case w.chance(w.mail.another):
		w.clock.after(betweenMessages, func() { s.message(false) })
	default:
		s.leave()
	}
}

func (s *session) leave() {
	s.open--
	s.site.seen.sessions.change(s.clock.now, -1)
}
