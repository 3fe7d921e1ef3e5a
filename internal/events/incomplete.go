package events

import (
	"sync"

	"mailweir/internal/policy"
)

// missing counts, for each service, the transactions whose content never came.
type missing struct {
	mu       sync.Mutex
	services map[policy.Service]*missingOf
}

type missingOf struct {
	seen, incomplete int
	said             bool
}

// missingOutOf is over how many transactions it is judged whether most of them are incomplete.
const missingOutOf = 100

// incomplete records a transaction that had recipients and no header. It counts against no one: the
// client may have had its reasons, such as a call-out, or something keeps the content from us.
func (r *Recorder) incomplete(t *policy.Transaction) {
	if len(t.Remaining()) == 0 || t.Check != "" {
		return
	}
	is := t.Fields == 0
	if r.missing.most(t.Service, is) {
		r.Log.WithField("service", string(t.Service)).Warnf("most of %d transactions of this service had recipients and no content: something hides it "+
			"from mailweir, such as smtpd_proxy_filter in Postfix; checks of headers and bodies see nothing", missingOutOf)
	}
	if !is {
		return
	}
	r.recordSettled(t, policy.Event{
		Check: "incomplete", Action: policy.ActionIncomplete, Cause: "recipients and no header; the transaction was " + t.Fate.String(),
	})
}

// most counts a transaction, and reports, once for each service, that more than half of the last
// ones were incomplete.
func (m *missing) most(service policy.Service, incomplete bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.services == nil {
		m.services = map[policy.Service]*missingOf{}
	}
	of := m.services[service]
	if of == nil {
		of = &missingOf{}
		m.services[service] = of
	}
	of.seen++
	if incomplete {
		of.incomplete++
	}
	if of.seen < missingOutOf {
		return false
	}
	say := !of.said && of.incomplete > missingOutOf/2
	of.said = of.said || say
	of.seen, of.incomplete = 0, 0
	return say
}
