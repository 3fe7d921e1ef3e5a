package table

import (
	"context"
	"strings"

	"mailweir/internal/address"
)

// Recipient asks whether an address is one that takes mail, in the manner of Postfix's lists of
// recipients (virtual(5), virtual_mailbox_maps, relay_recipient_maps, local_recipient_maps). The
// keys are, in this order,
//
//	user+ext@example.com
//	user@example.com
//	user+ext
//	user
//	@example.com
//
// Postfix asks for bare local parts only where the domain is one of its own ($mydestination), which
// a list does not say of itself: here they stand for any domain that the list is asked about.
// Patterns are asked for the whole address only. Spellings are as for [List.Address].
func (l *List) Recipient(ctx context.Context, a address.Address) (Match, error) {
	if l == nil || a.IsNull() {
		return Match{}, nil
	}
	k := addressKeys(a, l.options)
	for _, t := range l.tables {
		if t.waiting != nil {
			if m, err := l.ask(ctx, t, t.recipientSequence(a, l.options)); err != nil || m.Found() {
				return m, err
			}
			continue
		}
		if m, ok := k.recipientIn(t); ok {
			return l.answer(t, m), nil
		}
	}
	return Match{}, nil
}

// recipientIn asks one table in memory.
func (k *keys) recipientIn(t *Table) (Match, bool) {
	if t.hash == nil {
		return k.inPatterns(t.source)
	}
	h := t.hash
	both := [...]*[2]string{&k.locals, &k.bases}
	for _, locals := range both {
		if m, ok := k.full(h, locals); ok {
			return m, true
		}
	}
	for _, locals := range both {
		for _, local := range locals {
			if m, ok := findName(h, bare(local)); ok {
				return m, true
			}
		}
	}
	for _, domain := range k.domains {
		if domain == "" {
			continue
		}
		if m, ok := findParts(h, "@", domain, ""); ok {
			return m, true
		}
	}
	return Match{}, false
}

// recipientSequence is the same keys one after the other.
func (t *Table) recipientSequence(a address.Address, o ListOptions) func(yield func(string) bool) {
	k := addressKeys(a, o)
	if t.wholes {
		return func(yield func(string) bool) { k.wholeSequence(yield) }
	}
	return func(yield func(string) bool) {
		both := [...]*[2]string{&k.locals, &k.bases}
		for _, locals := range both {
			if !k.fullSequence(locals, yield) {
				return
			}
		}
		for _, locals := range both {
			for _, local := range locals {
				if bare(local) != "" && !yield(local) {
					return
				}
			}
		}
		for _, domain := range k.domains {
			if domain != "" && !yield("@"+domain) {
				return
			}
		}
	}
}

// bare is a local part as a key of its own, "" where that would be another address.
func bare(local string) string {
	if strings.IndexByte(local, '@') >= 0 {
		return ""
	}
	return local
}
