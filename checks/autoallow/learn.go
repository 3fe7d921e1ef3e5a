package autoallow

import (
	"context"
	"slices"
	"strings"
	"time"

	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// settle learns from outbound mail that was accepted, and from inbound mail which nets send what
// our users have asked for.
func (a *rule) settle(ctx context.Context, m *policy.Message, o policy.Outcome) {
	if o.Fate != policy.Accepted || m.Sender.IsNull() {
		return
	}
	if !m.Trusted() {
		if !m.Conn.InboundRelay() && m.AutoAllowHonoured(ctx) {
			// An error only means that it is not remembered this time.
			_ = history.NoteKnownNet(ctx, a.store, m.Conn.Client)
		}
		return
	}
	if keys := a.learns(ctx, m); len(keys) > 0 {
		a.remember(ctx, keys)
	}
}

// mostRecipients is the number of recipients beyond which a message says nothing about whom a
// person knows.
const mostRecipients = 50

// learns returns the pairs that a trusted message teaches: none of which a table cannot say whether
// it may be learned.
func (a *rule) learns(ctx context.Context, m *policy.Message) (keys []string) {
	ours := m.Conn.Service == policy.Submission || m.Conn.Trusted()
	if !ours || m.RecipientCount() > mostRecipients || automatic(m) {
		return nil
	}
	if local, _ := a.local(ctx, m.Sender.Domain); !local {
		return nil
	}
	for r := range m.Recipients() {
		if r.Direction != policy.Outbound {
			continue
		}
		if key, _ := a.key(ctx, m.Sender, r.Address); key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// automatic reports whether a program sent the message, or to many: an automatic answer (RFC 3834
// section 5), bulk mail, or mail of a list (RFC 2369, RFC 2919). Of a header section that was too
// long to keep, nothing is known.
func automatic(m *policy.Message) bool {
	return m.FieldsDropped || slices.ContainsFunc(m.Fields, func(f policy.Field) bool {
		name, value := strings.ToLower(f.Name), strings.ToLower(strings.TrimSpace(f.Value))
		switch {
		case name == "auto-submitted":
			word, _, _ := strings.Cut(value, ";")
			return strings.TrimSpace(word) != "no"
		case name == "precedence":
			return slices.Contains([]string{"bulk", "list", "junk", "auto_reply"}, value)
		}
		return strings.HasPrefix(name, "list-") || name == "x-autoreply" || name == "x-autorespond"
	})
}

// remember writes the pairs that are new or were last written a while ago: not all with each
// message. What is kept a little longer than asked for is never forgotten too early.
func (a *rule) remember(ctx context.Context, keys []string) {
	reads := make([]state.Step, len(keys))
	for i, key := range keys {
		reads[i] = state.Get(key)
	}
	found, err := a.store.Do(ctx, reads...)
	if err != nil {
		return // it is not remembered this time
	}
	now := a.clock()
	value := []byte(now.UTC().Format(time.DateTime))
	var steps []state.Step
	for i, key := range keys {
		if !found[i].Found || found[i].Until.Sub(now) < a.life {
			steps = append(steps, state.Put(key, value, a.life+a.life/100))
		}
	}
	if len(steps) > 0 {
		_, _ = a.store.Do(ctx, steps...)
	}
}
