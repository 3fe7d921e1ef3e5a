// Package admin carries run-time operations out: what a person looks at, enters or takes back while
// the daemon runs. The checks declare them ([policy.Operation]). The [Service] is the one place
// that decides who may, and keeps the audit; the command line reaches it over the control socket
// ([Server], [Client]), and a command without a daemon has one of its own.
package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// Service carries operations out. Its fields do not change while it is used.
type Service struct {
	Backends *policy.Backends
	// Offer has the operations of the checks, under the flags that are in force now.
	Offer func() Offer
	// Own are operations that belong to no check.
	Own []policy.OperationGroup
	// May reports why a person may not do something, such as [ByRole]; nil lets everybody do
	// everything who comes this far.
	May func(by policy.Person, op policy.Operation, request []byte, delimiter string) error
	// Known is what operations may ask besides the state.
	Known policy.Known
	// Audit takes every use of an operation, once it is over; nil keeps none.
	Audit func(Record)
}

// Offer is what the checks let people do.
type Offer struct {
	Groups []policy.OperationGroup
	// Delimiter is --recipient-delimiter.
	Delimiter string
}

// Request is one use of an operation, as a person wants it.
type Request struct {
	// Operation is GROUP/NAME, such as "tempblock/add".
	Operation string
	// Why is what he says about it; For is how long an entry is to last, 0 until it is taken back.
	Why string
	For time.Duration
	// Within is how long it may take; 0 is a minute. It is for the client alone.
	Within time.Duration
	// Body is the request of the operation's own, in JSON.
	Body json.RawMessage
}

// longest is how long an operation may take that does not say so itself.
const longest = time.Minute

// within is how long an operation may take.
func within(op policy.Operation) time.Duration { return cmp.Or(op.Within, longest) }

// Do carries an operation out and returns its answer in JSON. The error is a [policy.WrongError],
// [UnknownError], [DeniedError] or [UnavailableError], or something that should not be.
func (s *Service) Do(ctx context.Context, by policy.Person, r Request) (json.RawMessage, error) {
	offer := s.Offer()
	op, ok := find(slices.Concat(offer.Groups, s.Own), r.Operation)
	if !ok {
		return nil, &UnknownError{r.Operation}
	}
	if r.For < 0 {
		return nil, policy.Wrongf("--for: %s is no span of time to come", r.For)
	}
	call := &policy.Call{Backends: s.Backends, Delimiter: offer.Delimiter, By: by, Why: policy.Clean(r.Why), For: r.For, Known: s.Known}
	answer, err := s.run(ctx, op, call, r)
	if errors.Is(err, state.ErrDown) || errors.Is(err, state.ErrUnsynced) || errors.Is(err, state.ErrUnwritten) {
		err = &UnavailableError{err.Error()}
	}
	s.audit(op, call, r, err)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

// run carries the operation out, if the person may. A panic is an error of this operation, and of
// nothing else.
func (s *Service) run(ctx context.Context, op policy.Operation, c *policy.Call, r Request) (answer any, err error) {
	if s.May != nil {
		if err := s.May(c.By, op, r.Body, c.Delimiter); err != nil {
			return nil, &DeniedError{err.Error()}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, within(op))
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			answer, err = nil, fmt.Errorf("a defect of mailweir, please report it: panic: %v", p)
		}
	}()
	return op.Run(ctx, c, r.Body)
}

// find looks an operation up by its path.
func find(groups []policy.OperationGroup, path string) (policy.Operation, bool) {
	for _, g := range groups {
		for _, op := range g.Operations {
			if Path(g, op) == path {
				return op, true
			}
		}
	}
	return policy.Operation{}, false
}

// Path names an operation: "tempblock/add".
func Path(g policy.OperationGroup, op policy.Operation) string {
	return strings.TrimPrefix(g.Name+"/"+op.Name, "/")
}

// UnknownError says that there is no such operation here.
type UnknownError struct{ Operation string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("the daemon knows no operation %q: it is of another version of mailweir than this command; restart it after an upgrade", e.Operation)
}

// DeniedError says why a person may not do that.
type DeniedError struct{ Text string }

func (e *DeniedError) Error() string { return e.Text }

// UnavailableError says what is unavailable; nothing was wrong with the request.
type UnavailableError struct{ Text string }

func (e *UnavailableError) Error() string { return e.Text }
