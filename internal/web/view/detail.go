package view

import (
	"cmp"
	"fmt"
	"strings"

	"mailweir/internal/encodedword"
	"mailweir/internal/policy"
	"mailweir/internal/record/attempts"
	"mailweir/internal/record/why"
)

// Detail is the page of one decision.
type Detail struct {
	*why.Telling
	// Chains are the attempts that this one belongs to, one a recipient.
	Chains []attempts.Chain
	// More counts the recipients whose attempts are left out.
	More int
	// Beside are the other decisions of the transaction.
	Beside []Row
	// Message is the page of the mail transaction, "" without one.
	MessageHref string
	Actions     []Action
}

// Message is the page of one mail transaction.
type Message struct {
	*policy.Transaction
	Decisions []Row
	Chains    []attempts.Chain
	More      int
}

// Action is something that a visitor may do about a decision, as a form.
type Action struct {
	// ID chooses it when the form is sent.
	ID string
	// Says is what it does and for whom, Button one word for it.
	Says, Button string
	// Command does the same in a shell.
	Command string
	// Lasts: it is entered for some time. Grave: it keeps mail away.
	Lasts, Grave bool
	// Remark is what must hold for it to help.
	Remark string
}

// Done is the page that says what an action has done.
type Done struct {
	Says           string
	Command, Undo  string
	Answer         string
	Back, BackText string
}

// ActionTone is the colour of what happened.
func ActionTone(a policy.Action) Tone {
	switch a {
	case policy.ActionRefused, policy.ActionRemoved:
		return Bad
	case policy.ActionDeferred, policy.ActionError, policy.ActionNotDone:
		return Warn
	case policy.ActionWould, policy.ActionWouldChange:
		return Would
	}
	return Plain
}

// results are results of SPF, DKIM and DMARC in one line.
func results(spf string, dkim []string, dmarc string) string {
	var parts []string
	if spf != "" {
		parts = append(parts, "SPF "+spf)
	}
	if len(dkim) > 0 {
		parts = append(parts, "DKIM of "+strings.Join(dkim, ", "))
	}
	if dmarc != "" {
		parts = append(parts, "aligned: "+dmarc)
	}
	return strings.Join(parts, "; ")
}

// outcome is what became of an attempt, in words.
func outcome(a attempts.Attempt) (Tone, string) {
	if !a.Known {
		return Plain, "not in the record"
	}
	return FateTone(a.Outcome.Fate), strings.ReplaceAll(a.Outcome.Fate.String(), "_", " ")
}

// FateTone is the colour of what became of mail.
func FateTone(f policy.Fate) Tone {
	switch f {
	case policy.Accepted:
		return Good
	case policy.Refused, policy.Removed, policy.RefusedByMTA:
		return Bad
	case policy.Deferred:
		return Warn
	}
	return Plain
}

// decoded is a header field as people read it.
func decoded(field string) string { return encodedword.Decode(field) }

// later is what happened after the decision, in a word.
func later(l why.Later) string { return cmp.Or(strings.ReplaceAll(l.What, "_", " "), "noted") }

// tlsText is how the connection was encrypted.
func tlsText(t policy.TLS) string {
	if t == (policy.TLS{}) {
		return "none"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s", t.Version, t.Cipher))
}
