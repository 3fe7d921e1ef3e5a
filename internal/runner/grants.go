package runner

import (
	"context"
	"errors"
	"slices"
	"strings"

	"mailweir/internal/byhand"
	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/table"
	"mailweir/internal/trace"
)

// permission is an administrator's permit, looked up once.
type permission struct {
	match   *table.Match  // the entry that answered, nil for none
	entered *byhand.Entry // at run time, instead of a match
	ok      bool
	err     error // there may be one: the table could not answer
	unread  bool  // so is what people have entered
}

// none reports that there surely is no permit.
func (p *permission) none() bool { return !p.ok && p.err == nil }

func (p *permission) by() string {
	switch {
	case !p.ok:
		return ""
	case p.entered != nil:
		return "permit: " + p.entered.Cause("permitted")
	}
	return "permit " + p.match.Where()
}

// permissionOf is what a look-up in a list of permits comes to.
func permissionOf(match table.Match, err error) permission {
	p := permission{ok: match.Action.Verb == table.OK, err: err}
	if match.Found() {
		kept := match
		p.match = &kept
	}
	return p
}

// unverified is [unverified] of the entry; what people enter has no such thing.
func (p *permission) unverified() bool { return p.match != nil && unverified(*p.match) }

// permits reports which permit, if any, lets this mail past the check. An error means that a permit
// may exist: a table could not answer, or whether the sender is vouched for could not be found out.
// It may wait for the DNS. Header From is looked at only when the header section is complete.
func (m *message) permits(ctx context.Context, b *bound, r *recipient, headers bool) (string, error) {
	if b.Exempt&policy.ExemptPermitClient != 0 {
		if p := &m.client; p.ok || p.err != nil {
			return p.by(), p.err
		}
	}
	if b.Exempt&(policy.ExemptPermitSender|policy.ExemptUnvouched) != 0 {
		if by, err := m.senderPermits(ctx, b.Exempt); by != "" || err != nil {
			return by, err
		}
	}
	if b.Exempt&policy.ExemptHeaderFrom != 0 && headers {
		if by, err := m.headerFromPermits(ctx); by != "" || err != nil {
			return by, err
		}
	}
	if r == nil || b.Exempt&grantable == 0 || m.Sender.IsNull() {
		return "", nil
	}
	return r.granted(ctx, b)
}

// grantable are the permits that checks grant.
const grantable = policy.ExemptRecipientPermit | policy.ExemptAutoAllow

// notVouched is noted of a permit that exists and does not count, for whoever wonders why the mail
// is refused all the same.
const notVouched = policy.PermitNotCounted + ": nothing vouches for the sender"

// mayPermit tells which kinds of permits there may be for a message, as far as is known without
// asking for more.
func (p *Policy) mayPermit(m *message) (kinds policy.Exemption) {
	if !m.client.none() {
		kinds |= policy.ExemptPermitClient
	}
	if !m.permit.none() {
		kinds |= policy.ExemptPermitSender | policy.ExemptUnvouched
	}
	if p.permitsSenders(m.runner.ctx) {
		kinds |= policy.ExemptHeaderFrom
	}
	if len(p.hooks.grant) > 0 && !m.Sender.IsNull() {
		kinds |= grantable
	}
	return kinds
}

// granted asks the checks that permit for this recipient. Where one cannot tell, there may be a
// permit, but only for a sender whom something vouches for: whether a permit is lost to anybody
// else makes no difference.
func (r *recipient) granted(ctx context.Context, b *bound) (string, error) {
	list, err := r.askGrants(ctx)
	for _, one := range list {
		if one.By&b.Exempt&grantable == 0 {
			continue
		}
		if one.Vouched {
			return one.Source, nil
		}
		if ok, err := r.msg.Vouched(ctx); ok || err != nil {
			return one.Source, err
		}
		trace.Add(ctx, one.Source, notVouched)
	}
	if err == nil {
		return "", nil
	}
	return "", r.msg.ifVouched(ctx, err)
}

// ifVouched is why it is not known whether there is a permit, for a sender whom something vouches
// for; nil for anybody else, to whom none would count.
func (m *message) ifVouched(ctx context.Context, unknown error) error {
	vouched, failure := m.Vouched(ctx)
	if !vouched && failure == nil {
		return nil
	}
	return errors.Join(unknown, failure)
}

// askGrants asks every check that permits, once for a recipient: beside whoever asks, unless none
// of them waits.
func (r *recipient) askGrants(ctx context.Context) ([]policy.Grant, error) {
	if !r.msg.conn.policy.grantsAtOnce {
		return find(ctx, r.msg.runner, &r.grants, r.findGrants)
	}
	r.atOnce.Do(func() { r.list, r.listErr = r.findGrants(ctx) })
	return r.list, r.listErr
}

// nothingGranted reports whether it is known without waiting that no check grants anything that the
// check gives way to.
func (r *recipient) nothingGranted(b *bound) bool {
	if !r.msg.conn.policy.grantsAtOnce {
		return false
	}
	var asked trace.Trace
	asked.To(r.msg.log())
	list, err := r.askGrants(trace.With(r.msg.runner.ctx, &asked))
	return err == nil && !slices.ContainsFunc(list, func(g policy.Grant) bool { return g.By&b.Exempt&grantable != 0 })
}

func (r *recipient) findGrants(ctx context.Context) (list []policy.Grant, err error) {
	for _, b := range r.msg.conn.policy.hooks.grant {
		own, failure := callGrant(ctx, b.hooks.Grant, r)
		list = append(list, own...)
		err = errors.Join(err, failure)
	}
	return list, err
}

func callGrant(ctx context.Context, hook func(context.Context, *policy.Recipient) ([]policy.Grant, error), r *recipient) (list []policy.Grant, err error) {
	w := call(func(r *recipient) (policy.Verdict, error) {
		list, err = hook(ctx, &r.Recipient)
		return policy.Pass, err
	}, r)
	return list, w.err
}

// senderPermits reports whether the administrator's permit for the sender reaches checks that give
// way to those bits.
func (m *message) senderPermits(ctx context.Context, bits policy.Exemption) (string, error) {
	p := &m.permit
	switch {
	case !p.ok && p.unread:
		return "", m.ifVouched(ctx, p.err)
	case !p.ok:
		return "", p.err
	}
	if p.unverified() || m.client.ok {
		return p.by(), nil
	}
	if signed, _ := m.signedBySender(ctx); signed && bits&policy.ExemptPermitSender != 0 {
		return p.by(), nil // what cannot be told here, SPF may
	}
	result, err := m.SPF(ctx)
	switch {
	case err != nil:
		return p.by(), err
	case result == mailauth.SPFPass && bits&policy.ExemptPermitSender != 0:
		return p.by(), nil
	case (result == mailauth.SPFNone || result == mailauth.SPFNeutral) && bits&policy.ExemptUnvouched != 0:
		return p.by(), nil
	}
	trace.Add(ctx, p.by(), policy.PermitNotCounted+": SPF gives "+string(result)+" for the sender")
	return "", nil
}

// unverified reports whether the entry is OK unverified: the administrator takes the sender's name
// for it.
func unverified(match table.Match) bool { return strings.EqualFold(match.Action.Text, "unverified") }

// headerFromPermits looks every address of header From up in --permit-senders. Anybody can write
// any address there, so the envelope must be vouched for and of the very same domain. A From that
// cannot be looked up whole permits nothing.
func (m *message) headerFromPermits(ctx context.Context) (string, error) {
	policyOf := m.conn.policy
	list := policyOf.Settings.PermitSenders
	switch {
	case !policyOf.permitsSenders(ctx), list == nil && m.past != nil && m.FromUnknown != nil:
		return "", nil
	case m.FromUnknown != nil:
		return "", m.FromUnknown
	}
	authors, more := m.FirstFrom()
	if more {
		trace.Add(ctx, "permit by header From", policy.PermitNotCounted+": there are too many addresses to look up")
		return "", nil
	}
	for _, from := range authors {
		p := policyOf.entered.permitOf(ctx, from, policyOf.Settings.Delimiter, permissionOf(list.Address(ctx, from)))
		if p.err != nil {
			return "", p.err
		}
		if !p.ok {
			continue
		}
		by := p.by()
		if p.unverified() || m.client.ok {
			return by, nil
		}
		if from.Domain != m.Sender.Domain {
			trace.Add(ctx, by, policy.PermitNotCounted+" for header From: the envelope sender is of another domain")
			continue
		}
		if vouched, err := m.Vouched(ctx); vouched || err != nil {
			return by, err
		}
		trace.Add(ctx, by, notVouched)
	}
	return "", nil
}

// PermitHonoured reports whether the administrator permits the sender and SPF passes for it: such
// mail is known to be good. It waits for the DNS; call it from [policy.Question.Later] or a Settle
// hook.
func (m *message) PermitHonoured(ctx context.Context) bool {
	if !m.permit.ok {
		return false
	}
	result, err := m.SPF(ctx)
	return err == nil && result == mailauth.SPFPass
}

// AutoAllowHonoured reports whether a recipient has written to the sender (auto-allow) and SPF
// passes for it: such mail is known to be good, too. It waits for the state and the DNS; call it
// from [policy.Question.Later] or a Settle hook.
func (m *message) AutoAllowHonoured(ctx context.Context) bool {
	for _, r := range m.recipients {
		list, _ := r.askGrants(ctx) // what could not be found out permits nothing
		if slices.ContainsFunc(list, func(g policy.Grant) bool { return g.By == policy.ExemptAutoAllow }) {
			result, err := m.SPF(ctx)
			return err == nil && result == mailauth.SPFPass && !m.Sender.IsNull()
		}
	}
	return false
}

// Vouched reports whether the envelope sender is who it says: the client is permitted, SPF passes
// for the sender's domain, or, at the end of a message whose signatures are looked at, DKIM passes
// for a domain aligned with it. It waits for the DNS; call it from [policy.Question.Later].
func (m *message) Vouched(ctx context.Context) (bool, error) {
	if m.client.ok {
		return true, nil
	}
	result, err := m.SPF(ctx)
	if err == nil && result == mailauth.SPFPass && !m.Sender.IsNull() {
		return true, nil
	}
	signed, failure := m.signedBySender(ctx)
	if signed {
		return true, nil
	}
	return false, errors.Join(m.client.err, err, failure)
}
