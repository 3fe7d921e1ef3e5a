package main

import (
	"mailweir/internal/callforward"
	"mailweir/internal/policy"
	"mailweir/internal/resource"
)

// openMailboxes opens a server that knows which addresses exist; nil for a kind that there is not.
// What it has found out and its connections outlive a reload.
func openMailboxes(b *policy.Backends, held *resource.Holder, kind, source string) (policy.Mailboxes, error) {
	if kind != "smtp" && kind != "lmtp" && kind != "dovecot" {
		return nil, nil
	}
	return resource.Get(held, kind+":"+source, func() (*callforward.Server, error) {
		return callforward.Open(callforward.Options{Kind: kind, Source: source, Store: b.State, Observer: b.Observer})
	})
}
