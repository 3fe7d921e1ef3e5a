package state

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// What goes between a [Remote] and a [Served] is JSON under these methods, of which the two may be
// of different versions: a field keeps its name and its meaning, and a new operation is another
// word.
const (
	methodDo      = "state.do"
	methodAsk     = "state.ask" // as a View asks
	methodAcquire = "state.acquire"
	methodRelease = "state.release"
	methodStats   = "state.stats"
	// methodChanged is asked by the one that serves.
	methodChanged = "state.changed"
)

// wireStep is a [Step]. Keys are octets, for untrusted clients chose parts of them.
type wireStep struct {
	Op       string `json:"op"`
	Key      []byte `json:"key"`
	Value    []byte `json:"value,omitempty"`
	Old      []byte `json:"old"` // null is none, which an empty value is not
	N        int64  `json:"n,omitempty"`
	Limit    int64  `json:"limit,omitempty"`
	Lifetime int64  `json:"lifetime,omitempty"` // this and the next two in nanoseconds
	Slack    int64  `json:"slack,omitempty"`
	Span     int64  `json:"span,omitempty"`
	At       int64  `json:"at,omitempty"` // Unix milliseconds
	Entered  bool   `json:"entered,omitempty"`
}

var wireOps = []string{
	opGet: "get", opPut: "put", opDelete: "delete", opSwap: "swap", opAdd: "add", opTouch: "touch", opRenew: "renew", opTally: "tally",
}

func wireOf(s Step) wireStep {
	return wireStep{
		Op: wireOps[s.op], Key: []byte(s.key), Value: s.value, Old: s.old, N: s.n, Limit: s.limit,
		Lifetime: int64(s.lifetime), Slack: int64(s.slack), Span: int64(s.span), At: s.at, Entered: s.entered,
	}
}

// step reads what wireOf wrote. A word that is not known is an error of this step: the other
// process is of a later version.
func (w wireStep) step() (Step, error) {
	found := slices.Index(wireOps, w.Op)
	if found < 0 {
		return Step{}, fmt.Errorf("state: a step %q is not known here", w.Op)
	}
	s := Step{
		op: op(found), key: string(w.Key), value: w.Value, old: w.Old, n: w.N, limit: w.Limit,
		lifetime: time.Duration(w.Lifetime), slack: time.Duration(w.Slack), span: time.Duration(w.Span), at: w.At, entered: w.Entered,
	}
	if s.op == opTally {
		s.span = max(s.span, time.Second) // it is divided by
	}
	return s, s.check()
}

// wireResult is a [Result].
type wireResult struct {
	Done  bool   `json:"done,omitempty"`
	Found bool   `json:"found,omitempty"`
	Value []byte `json:"value,omitempty"`
	Until int64  `json:"until,omitempty"` // Unix milliseconds, 0 is never
	N     int64  `json:"n,omitempty"`
	Error string `json:"error,omitempty"`
	Kind  string `json:"kind,omitempty"` // what the error is
}

// wireErrors are the errors by which callers go.
var wireErrors = map[string]error{"down": ErrDown, "unwritten": ErrUnwritten, "unsynced": ErrUnsynced, "closed": ErrClosed}

func wireResultOf(r Result) wireResult {
	w := wireResult{Done: r.Done, Found: r.Found, Value: r.Value, N: r.N}
	if !r.Until.IsZero() {
		w.Until = r.Until.UnixMilli()
	}
	if r.Err == nil {
		return w
	}
	w.Error = r.Err.Error()
	for kind, err := range wireErrors {
		if errors.Is(r.Err, err) {
			w.Kind = kind
		}
	}
	return w
}

func (w wireResult) result() Result {
	r := Result{Done: w.Done, Found: w.Found, N: w.N, Until: timeOf(w.Until)}
	if r.Found {
		r.Value = append([]byte{}, w.Value...)
	}
	switch {
	case w.Error == "":
	case wireErrors[w.Kind] != nil:
		r.Err = saidError{w.Error, wireErrors[w.Kind]}
	default:
		r.Err = errors.New(w.Error)
	}
	return r
}

// saidError is an error as another process has said it.
type saidError struct {
	text string
	is   error
}

func (e saidError) Error() string { return e.text }
func (e saidError) Unwrap() error { return e.is }

// wirePlace is a place to take or to give back.
type wirePlace struct {
	Key   []byte `json:"key"`
	Limit int    `json:"limit,omitempty"`
}

// wireTaken says whether there was one.
type wireTaken struct {
	Taken bool `json:"taken"`
}

// wireChanged tells of keys that entered steps have changed; an empty one says that others may have
// been missed.
type wireChanged struct {
	Keys [][]byte `json:"keys"`
}
