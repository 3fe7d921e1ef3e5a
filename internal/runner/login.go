package runner

import (
	"context"
	"errors"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// LoginRuling is what is said to an attempt to log in before its password is looked at.
type LoginRuling struct {
	// Blocked says that the password is not to be looked at, and Cause why, for the administrator.
	Blocked bool
	Cause   string
}

// JudgeLogin asks the checks about an attempt to log in. Where one of them fails its on-error
// decides, and what is only monitored is recorded.
func (rn *Runner) JudgeLogin(ctx context.Context, l policy.Login) LoginRuling {
	p := rn.acquire()
	defer rn.leave(p)
	if len(p.hooks.login) == 0 {
		return LoginRuling{}
	}
	l.Exempt = p.exemptLogin(ctx, l)
	for _, b := range p.hooks.login {
		if b.Exempt&l.Exempt != 0 {
			continue
		}
		w := call(b.hooks.Login, &l)
		for n := 0; w.verdict.Work() != nil; n++ {
			w = next(ctx, w, n)
		}
		if ruling := rn.ruleLogin(p, b, l, w); ruling.Blocked {
			return ruling
		}
	}
	return LoginRuling{}
}

// ruleLogin says what a check's finding comes to. An objection that is only monitored and a check
// error are recorded here; of what is answered, the service that answers tells.
func (rn *Runner) ruleLogin(p *Policy, b *bound, l policy.Login, w said) LoginRuling {
	orders := p.entered.monitored.Now(rn.ctx)
	mode := b.modeNow(orders)
	refuses := mode.Refuses()
	switch {
	case w.err != nil && refuses && b.onError == policy.Delay:
		return LoginRuling{Blocked: true, Cause: b.Name + ": " + w.err.Error()}
	case w.verdict.Objects() && refuses && !w.verdict.OnlyMonitors():
		return LoginRuling{Blocked: true, Cause: b.Name + ": " + w.verdict.Cause()}
	case w.err == nil && !w.verdict.Objects():
		return LoginRuling{}
	}
	e := &policy.Event{
		Stage: policy.StageAuth, AnsweredAt: policy.StageAuth, Client: l.Client, Login: l.Name, Service: policy.Submission,
		Action: policy.ActionWould, Cause: w.verdict.Cause(),
	}
	if w.err != nil {
		e.Action, e.Err = policy.ActionError, w.err.Error()
		e.Fault = errors.As(w.err, new(*fault))
	} else {
		reply := p.reply(w.verdict.Reply())
		e.Reply, e.Row, e.Line = reply.ID, reply.Row, w.verdict.Line(reply, mode)
	}
	e.ByHand = b.byHand(orders)
	rn.tell(p, b, e)
	return LoginRuling{}
}

// LoginEnded has the checks learn what came of an attempt to log in.
func (rn *Runner) LoginEnded(ctx context.Context, l policy.Login, o policy.LoginOutcome) {
	p := rn.acquire()
	defer rn.leave(p)
	if len(p.hooks.settleLogin) == 0 {
		return
	}
	l.Exempt, o.At = p.exemptLogin(ctx, l), p.backends.Clock()
	for _, b := range p.hooks.settleLogin {
		if b.Exempt&l.Exempt != 0 {
			continue
		}
		w := call(func(b *bound) (policy.Verdict, error) { b.hooks.SettleLogin(ctx, &l, o); return policy.Pass, nil }, b)
		if w.err != nil {
			rn.observer.Defect(w.err)
		}
	}
}

// loginLookUp bounds what the tables of inbound relays and permitted clients may take together.
const loginLookUp = time.Second

// exemptLogin is what about a client lets its logins past checks. Where a table cannot answer, the
// client may be one of its entries.
func (p *Policy) exemptLogin(ctx context.Context, l policy.Login) (e policy.Exemption) {
	if !l.Client.IsValid() {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, loginLookUp)
	defer cancel()
	in := func(list *table.List) (table.Match, error) { return list.Client(ctx, l.Client) }
	relay, err := in(p.Settings.InboundRelays)
	switch {
	case relay.Member() || err != nil:
		e |= policy.ExemptRelay
	case trusts(p.Settings.TrustedNets, l.Client):
		e |= policy.ExemptTrusted
	}
	permit := permissionOf(in(p.Settings.PermitClients))
	own, err := p.entered.permits.Client(ctx, l.Client)
	if permit = permit.or(err); own != nil || !permit.none() {
		e |= policy.ExemptPermitClient
	}
	return e
}
