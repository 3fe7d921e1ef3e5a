package would

import (
	"time"

	"mailweir/internal/record/attempts"
)

// reason is what is thought of a would-be refusal. The first one that holds counts.
type reason uint8

const (
	// Enforcing the check changes nothing for it: it did not get in.
	anyway reason = iota

	// Likely good.
	permit     // the administrator or the recipient permits the sender, or auto-allow does
	personal   // a person permitted the sender at run time
	writtenTo  // a user of ours wrote to the sender
	cameBack   // deferred for another reason, and accepted later
	cleanLater // accepted later while no check objected

	// Kept out.
	neverBack   // deferred for another reason, and not tried again
	backInVain  // deferred for another reason, tried again, and not accepted
	badClient   // other checks refused the client, and nothing clean came from it
	alsoWatched // other monitored checks objected, too

	// Not known.
	pending  // deferred for another reason, and still to come back
	wentAway // the client went away before its end
	silence  // accepted, and nothing more is known
	untold   // it has no message in the record
	reasons  = iota
)

var reasonWords = [reasons]string{
	anyway:      "refused anyway, for another reason",
	permit:      "a permit for the sender exists, which did not count",
	personal:    "somebody permitted the sender by hand",
	writtenTo:   "a user wrote to the sender",
	cameBack:    "deferred for another reason, tried again and accepted",
	cleanLater:  "later mail of the sender to the recipient was accepted, and no check objected",
	neverBack:   "deferred for another reason, and not tried again",
	backInVain:  "deferred for another reason, tried again and not accepted",
	badClient:   "other checks refused mail of the client, and none of it was accepted without objection",
	alsoWatched: "other monitored checks objected, too",
	pending:     "deferred for another reason, and may be tried again",
	wentAway:    "the client went away before the end",
	silence:     "accepted, and nothing speaks for or against it",
	untold:      "the record has no message of it",
}

// good reports whether the mail is likely good.
func (r reason) good() bool { return permit <= r && r <= cleanLater }

// of is where a reason is counted.
func (c *Check) of(r reason) *Tally {
	switch {
	case r.good():
		return &c.Good
	case r <= alsoWatched:
		return &c.KeptOut
	}
	return &c.Unknown
}

// reason weighs a finding that is no sum, when everything is known.
func (e *evidence) reason(f *finding, now time.Time) reason {
	if !f.has(told) {
		return untold
	}
	if f.has(refusedAnyway) {
		return anyway
	}
	later := e.later(f)
	if r, good := e.speaksFor(f, later); good && !f.has(forged) {
		return r
	}
	client := e.clients[f.client]
	switch {
	case f.has(deferredAnyway) && now.UnixNano()-max(f.at, later.tried) <= int64(attempts.Silence):
		return pending
	case f.has(deferredAnyway) && later.tried > f.at:
		return backInVain
	case f.has(deferredAnyway):
		return neverBack
	case f.client != 0 && client.byAnother(f.check) && !client.clean:
		return badClient
	case f.has(others):
		return alsoWatched
	case f.has(gone):
		return wentAway
	}
	return silence
}

// speaksFor is what speaks for the mail of a finding.
func (e *evidence) speaksFor(f *finding, later pairSeen) (reason, bool) {
	_, wrote := e.wrote[f.sender]
	switch {
	case f.has(notCounted):
		return permit, true
	case f.has(permittedByPerson):
		return personal, true
	case wrote && f.sender != 0:
		return writtenTo, true
	case f.has(deferredAnyway|gone) && later.accepted > f.at:
		return cameBack, true
	case later.clean > f.at:
		return cleanLater, true
	}
	return 0, false
}

// later is what was seen last of any pair of the finding.
func (e *evidence) later(f *finding) (all pairSeen) {
	for _, k := range e.list[f.pairs : f.pairs+int32(f.pairCount)] {
		p := e.pairs[k]
		all.tried, all.accepted, all.clean = max(all.tried, p.tried), max(all.accepted, p.accepted), max(all.clean, p.clean)
	}
	return all
}

// weigh counts every finding by what is thought of it, and what no member tells of in a sum. It
// returns the best examples of each check.
func (e *evidence) weigh(now time.Time) map[string][]example {
	counts, best := map[string]*[reasons]int{}, map[string][]example{}
	for name, c := range e.checks {
		counts[name] = new([reasons]int)
		counts[name][untold] = c.Untold // for which there was no room
	}
	for i := range e.findings {
		f := &e.findings[i]
		name := e.names[f.check]
		if f.has(isSum) {
			counts[name][untold] += int(f.times - f.members)
			continue
		}
		r := e.reason(f, now)
		counts[name][r] += int(f.times)
		if r.good() {
			best[name] = pick(best[name], example{i, r, f})
		}
	}
	for name, c := range e.checks {
		c.tally(counts[name])
	}
	return best
}

// tally writes down what is thought of all.
func (c *Check) tally(counts *[reasons]int) {
	for r, n := range counts {
		if n > 0 {
			t := c.of(reason(r))
			t.N += n
			t.Reasons = append(t.Reasons, Reason{reasonWords[r], n})
		}
	}
	c.Untold = counts[untold]
}
