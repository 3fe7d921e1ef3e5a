package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/fact"
	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
)

// maxSignatures is how many signatures of those who could vouch are verified for one question.
const maxSignatures = 10

var errSignatures = fmt.Errorf("dkim: more than %d signatures could vouch for the sender", maxSignatures)

// signature is one DKIM-Signature field of a message.
type signature struct {
	at     int // its place among the fields
	domain string
	valid  fact.Fact[string] // the domain once more, as it was verified; "" if it is not valid
}

// KeepSigned keeps the body, if a signature is of one of the domains or aligned with it.
func (m *message) KeepSigned(domains ...string) {
	if m.found == nil {
		m.found = new([]*signature)
		for i, f := range m.Fields {
			if isSignature(f) {
				*m.found = append(*m.found, &signature{at: i, domain: mailauth.SignatureDomain(f.Value)})
			}
		}
	}
	if slices.ContainsFunc(*m.found, func(s *signature) bool { return alignedWith(s.domain, domains) }) {
		m.Keep()
	}
}

// SignedBy reports whether a signature of one of the domains, or one that is aligned with it, is
// valid.
func (m *message) SignedBy(ctx context.Context, domains ...string) (bool, error) {
	found := m.signatures.Load()
	if found == nil {
		return false, nil
	}
	if m.past != nil {
		return m.past.Signed(domains)
	}
	if m.FieldsDropped {
		return false, fmt.Errorf("dkim: %w", errTooLong)
	}
	var unknown error
	looked := 0
	for _, s := range *found {
		if !alignedWith(s.domain, domains) {
			continue
		}
		if looked == maxSignatures {
			unknown = errors.Join(unknown, errSignatures)
			break
		}
		looked++
		switch domain, err := m.verify(ctx, s); {
		case err != nil:
			unknown = errors.Join(unknown, err)
		case alignedWith(domain, domains):
			return true, nil
		}
	}
	return false, unknown
}

// alignedWith reports whether the domain is aligned with one of the others.
func alignedWith(domain string, others []string) bool {
	return slices.ContainsFunc(others, func(other string) bool { return mailauth.Aligned(domain, other) })
}

// verify verifies one signature, once for all who ask. It is shown the message without the
// signatures above it: those were put there later, and it alone is looked at.
func (m *message) verify(ctx context.Context, s *signature) (string, error) {
	rn, dns := m.runner, m.conn.policy.backends.Resolver()
	return findWithin(ctx, rn, rn.limits.End, &s.valid, func(ctx context.Context) (string, error) {
		fields := slices.DeleteFunc(slices.Clone(m.Fields[:s.at]), isSignature)
		return mailauth.VerifyDKIM(ctx, dns, m.open(append(fields, m.Fields[s.at:]...)))
	})
}

// knownSigners are the domains whose signatures have been found valid by now. All says that there
// is no signature of which nothing is known.
func (m *message) knownSigners() (domains []string, all bool) {
	found := m.signatures.Load()
	if found == nil {
		return nil, !slices.ContainsFunc(m.Fields, isSignature)
	}
	all = true
	for _, s := range *found {
		domain, ok := s.valid.Known()
		all = all && ok
		if domain != "" && !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	return domains, all
}

func isSignature(f policy.Field) bool { return strings.EqualFold(f.Name, "DKIM-Signature") }

// signedBySender reports whether a valid signature is aligned with the envelope sender. It is false
// while the message is not there to be looked at: before its end, and after it for what was found
// about client, sender or a recipient and is late.
func (m *message) signedBySender(ctx context.Context) (bool, error) {
	if m.Sender.IsNull() || m.signatures.Load() == nil {
		return false, nil
	}
	if m.body != nil {
		if !m.body.Hold() {
			return false, nil
		}
		defer m.body.Release()
	}
	return m.SignedBy(ctx, m.Sender.Domain)
}

// wantsDKIM reports, at the end of headers, whether a signature could vouch for a permit that
// matters: there is, or may come, an objection to be answered at the end that gives way to one.
func (s *Session) wantsDKIM() bool {
	m, p := s.msg, s.policy()
	if m.Sender.IsNull() {
		return false
	}
	yields := func(b *bound) bool {
		return b.Exempt&m.mayPermit&^(policy.ExemptPermitClient|policy.ExemptUnvouched) != 0
	}
	return slices.ContainsFunc(p.hooks.message, yields) || slices.ContainsFunc(p.hooks.messageFor, yields) ||
		slices.ContainsFunc(s.due(policy.StageEnd), func(f *finding) bool { return yields(f.check) })
}
