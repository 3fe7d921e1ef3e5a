package rbl

import (
	"sync"
	"sync/atomic"
	"time"
)

// Cause is why a list is suspended. Several may hold at once; the list is asked when none does.
type Cause uint8

// The causes, the most telling last.
const (
	Untested  Cause = iota + 1 // its first test has not ended; never reported as a change
	NoAnswers                  // its last questions all failed: time-outs, server failures or error codes
	SelfTest                   // its test entries are not as RFC 5782 section 5 wants them
	KnownGood                  // it lists too many clients whose mail is known to be good
	Manual                     // somebody said so
)

var causeNames = [...]string{Untested: "untested", NoAnswers: "no-answers", SelfTest: "self-test", KnownGood: "known-good", Manual: "manual"}

// String is the cause as a label.
func (c Cause) String() string { return causeNames[c] }

// Change is one change of a list's health: a cause of suspension has come or gone.
type Change struct {
	Zone      string
	Kind      Kind
	Cause     Cause
	Suspended bool      // the cause has come; otherwise it has gone
	Asked     bool      // whether the list is asked after this change
	Why       string    // what was seen
	Until     time.Time // zero: until something else ends it
	At        time.Time
}

// The breakers' settings.
const (
	failureLimit  = 10          // failures in a row, without an answer between, after which a list is suspended
	testInterval  = time.Hour   // between tests that pass
	firstRetry    = time.Minute // after a test failed; then twice as long each time, up to testInterval
	knownGoodRest = time.Hour   // the rest for hits on known-good clients
	knownGoodSpan = time.Hour   // how long a known-good net counts
	knownGoodNets = 20          // known-good nets needed before a list is judged by them
	knownGoodPart = 4           // a list is suspended when it hits more than one in so many of them
	maxGoodNets   = 20_000      // most known-good nets remembered

	knownGoodOfSender = 2 // known-good nets that count for one sender
	knownGoodSenders  = 5 // senders of the nets that a list hits, needed before it is suspended
)

// suspension is one cause's details.
type suspension struct {
	cause Cause // of the one that is shown
	why   string
	until time.Time
}

// list is one list with its state, shared by every Set that names it.
type list struct {
	zone string // as shown, keys as {NAME}
	wire *string
	kind Kind
	info *zoneInfo

	suspended atomic.Pointer[suspension] // why it is not asked; nil when it is
	noIPv4    atomic.Bool                // its IPv4 test entry is missing: it is asked about IPv6 clients only
	noIPv6    atomic.Bool                // its IPv6 test entry is missing: it is asked about IPv4 clients only
	inARow    atomic.Int32               // failures without an answer between
	use       usage

	users int // guarded by Lists.mu

	mu          sync.Mutex // guards what follows
	lastFailure any        // the question or answer that failed last
	causes      map[Cause]suspension
	untested    bool // only whether it answers is tested
	nextTest    time.Time
	testing     bool
	retry       time.Duration
	lastTest    testOutcome
	lastAt      time.Time
	ready       chan struct{} // closed after the first test
	isReady     bool
}

// publish needs the lock. The highest cause is the one shown.
func (li *list) publish() {
	for c := Manual; c >= Untested; c-- {
		if r, ok := li.causes[c]; ok {
			shown := suspension{cause: c, why: c.String() + ": " + r.why, until: r.until}
			li.suspended.Store(&shown)
			return
		}
	}
	li.suspended.Store(nil)
}

// set adds a cause; a change only if it was not there.
func (li *list) set(now time.Time, c Cause, r suspension) []Change {
	li.mu.Lock()
	defer li.mu.Unlock()
	return li.setLocked(now, c, r)
}

func (li *list) setLocked(now time.Time, c Cause, r suspension) []Change {
	_, had := li.causes[c]
	li.causes[c] = r
	li.publish()
	if had {
		return nil
	}
	return []Change{li.change(now, c, true, r)}
}

// clear removes a cause; a change only if it was there.
func (li *list) clear(now time.Time, c Cause) []Change {
	li.mu.Lock()
	defer li.mu.Unlock()
	return li.clearLocked(now, c)
}

func (li *list) clearLocked(now time.Time, c Cause) []Change {
	r, had := li.causes[c]
	if !had {
		return nil
	}
	delete(li.causes, c)
	li.publish()
	return []Change{li.change(now, c, false, suspension{why: r.why})}
}

func (li *list) change(now time.Time, c Cause, suspended bool, r suspension) Change {
	return Change{
		Zone: li.zone, Kind: li.kind, Cause: c, Suspended: suspended, Asked: len(li.causes) == 0,
		Why: r.why, Until: r.until, At: now,
	}
}

// expire ends suspensions whose time is over.
func (li *list) expire(now time.Time) (changes []Change) {
	li.mu.Lock()
	defer li.mu.Unlock()
	for c := Untested; c <= Manual; c++ {
		if r, ok := li.causes[c]; ok && !r.until.IsZero() && !now.Before(r.until) {
			changes = append(changes, li.clearLocked(now, c)...)
		}
	}
	return changes
}

// answered ends a row of failures.
func (li *list) answered() {
	if li.inARow.Load() != 0 {
		li.inARow.Store(0)
	}
}

// failed counts a question without a usable answer; after too many in a row the list is suspended
// until a test gets an answer. The same failure (cause) that reaches many askers, or comes from the
// cache, is counted once.
func (li *list) failed(now time.Time, cause any, why string) []Change {
	li.mu.Lock()
	defer li.mu.Unlock()
	if li.lastFailure == cause {
		return nil
	}
	li.lastFailure = cause
	if li.inARow.Add(1) < failureLimit {
		return nil
	}
	if _, already := li.causes[NoAnswers]; already {
		return nil
	}
	li.inARow.Store(0)
	li.retry = firstRetry
	li.nextTest = now.Add(li.retry)
	return li.setLocked(now, NoAnswers, suspension{why: why})
}

// setUntested says whether the test entries are looked at.
func (li *list) setUntested(untested bool) {
	li.mu.Lock()
	defer li.mu.Unlock()
	if li.untested != untested {
		li.untested = untested
		li.nextTest = time.Time{}
	}
}

// takeTest reports whether a test is due, and if so that somebody now does it.
func (li *list) takeTest(now time.Time) bool {
	li.mu.Lock()
	defer li.mu.Unlock()
	if li.testing || now.Before(li.nextTest) {
		return false
	}
	li.testing = true
	return true
}

// tested notes the outcome of a test.
func (li *list) tested(now time.Time, o testOutcome) (changes []Change) {
	li.mu.Lock()
	defer li.mu.Unlock()
	li.testing, li.lastTest, li.lastAt = false, o, now
	li.noIPv4.Store(o.noIPv4)
	li.noIPv6.Store(o.noIPv6)
	if o.why == "" {
		li.retry, li.nextTest = 0, now.Add(testInterval)
		li.inARow.Store(0)
		changes = append(li.clearLocked(now, SelfTest), li.clearLocked(now, NoAnswers)...)
	} else {
		li.retry = min(max(firstRetry, 2*li.retry), testInterval)
		li.nextTest = now.Add(li.retry)
		cause, other := SelfTest, NoAnswers
		if o.unanswered {
			cause, other = NoAnswers, SelfTest
		}
		// A list that does not answer any more keeps what it was found guilty of; one that answers
		// wrongly does answer.
		changes = li.setLocked(now, cause, suspension{why: o.why})
		if other == NoAnswers {
			changes = append(changes, li.clearLocked(now, other)...)
		}
	}
	return append(changes, li.clearLocked(now, Untested)...)
}

// markReady lets Set.Ready return, after the first test and the report of what it changed.
func (li *list) markReady() {
	li.mu.Lock()
	defer li.mu.Unlock()
	if !li.isReady {
		li.isReady = true
		close(li.ready)
	}
}
