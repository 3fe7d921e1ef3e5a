package main

import (
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/internal/state"
)

// explainer is a policy of its own for one case, with backends on which nothing is left.
type explainer struct {
	backends *policy.Backends
	policy   *runner.Policy
}

// newExplainer builds the policy of these settings over a store that keeps what is written to
// itself, which it takes over. Of a previous policy it takes over the tables that have not changed.
func newExplainer(s *settings, store state.Store, clock func() time.Time, noScanners bool, previous *runner.Policy) (*explainer, error) {
	backends, err := openBackends(s.daemon, quietLog(), clock, store)
	if err != nil {
		_ = store.Close() // nothing has been written
		return nil, err
	}
	backends.Explaining, backends.NoScanners = true, noScanners
	p, err := s.draft.Build(backends, previous)
	if err != nil {
		_ = closeBackends(backends)
		return nil, err
	}
	waitReady(p)
	return &explainer{backends, p}, nil
}

// close ends it. Whoever plays a case closes the policy.
func (x *explainer) close() { _ = closeBackends(x.backends) }
