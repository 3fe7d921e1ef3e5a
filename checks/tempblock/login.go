package tempblock

import (
	"context"

	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// login turns an attempt to log in away as it would a connection, unless that login has succeeded
// from there before: behind one address there may be a guesser and an office.
func (t *rule) login(l *policy.Login) (policy.Verdict, error) {
	v, err := t.judge(l.Client)
	return t.unlessKnown(l, v), err
}

func (t *rule) unlessKnown(l *policy.Login, v policy.Verdict) policy.Verdict {
	if work := v.Work(); work != nil {
		return t.changes.Later(func(ctx context.Context) (policy.Verdict, error) {
			v, err := work(ctx)
			return t.unlessKnown(l, v), err
		})
	}
	if !v.Objects() || l.Name == "" {
		return v
	}
	return t.changes.Later(func(ctx context.Context) (policy.Verdict, error) {
		found, err := t.store.Do(ctx, state.Get(history.KnownLoginKey(l.Name, l.Client)))
		if err != nil || found[0].Found {
			return policy.Pass, err
		}
		return v, nil
	})
}

// settleLogin counts a login that failed.
func (t *rule) settleLogin(ctx context.Context, l *policy.Login, o policy.LoginOutcome) {
	if l.Client.IsValid() && !o.Succeeded && !o.Again {
		t.count(ctx, l.Client, history.Transaction{policy.OffenceAuthFail: 1}, o.At)
	}
}
