package blocklist

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/table"
	"mailweir/internal/trace"
)

// BypassUse is what the tables of a [Bypass] are for.
func BypassUse() table.Use {
	return table.Use{Asked: table.Clients | table.Addresses, Values: table.Permits, Bare: "OK", Opens: true}
}

// Bypass is a check's own list of senders, recipients and clients that it leaves alone. Anybody can
// write any sender, so a sender counts only when he is vouched for, as in --permit-senders: by SPF,
// by a client that is permitted or trusted, and at the end of the message by DKIM. An entry "OK
// unverified" counts all the same.
type Bypass struct {
	List *table.List
	// Clients and Recipients are lists that are about these alone; most checks have none.
	Clients, Recipients *table.List
	// Unvouched has a sender count, too, for whom SPF gives none or neutral.
	Unvouched bool
}

// Message says which entry leaves the message alone, as far as that is known without waiting: ""
// for none, and where the list waits. See [Bypass.Unless].
func (b Bypass) Message(m *policy.Message) (by string) {
	if b.List == nil || b.List.Waits() {
		return ""
	}
	found, _ := b.find(context.Background(), m)
	return found.by
}

// Recipient says the same of the recipient.
func (b Bypass) Recipient(r *policy.Recipient) (by string) {
	if b.List == nil || b.List.Waits() {
		return ""
	}
	match, _ := b.List.Address(context.Background(), r.Address)
	return entryOf(match)
}

// KeepHook is the Headers hook that has the body kept where a signature may have to vouch for the
// sender; nil without a list.
func (b Bypass) KeepHook() func(*policy.Message) (policy.Verdict, error) {
	if b.List == nil {
		return nil
	}
	return func(m *policy.Message) (policy.Verdict, error) {
		b.keep(m)
		return policy.Pass, nil
	}
}

func (b Bypass) keep(m *policy.Message) {
	if m.Sender.IsNull() {
		return
	}
	if !b.List.Waits() {
		if found, _ := b.find(context.Background(), m); found.by != "" || !found.sender.Found() {
			return
		}
	}
	m.KeepSigned(m.Sender.Domain)
}

// Unless returns the verdict on a message for some of its recipients, unless the client, the sender
// or one of those is in the list. Only what is found is worth asking for. Where it cannot be told
// whether an entry counts, an objection becomes temporary.
func (b Bypass) Unless(v policy.Verdict, m *policy.Message, recipients ...*policy.Recipient) (policy.Verdict, error) {
	if !v.Finds() || b.List == nil {
		return v, nil
	}
	return policy.Asks(b.List).Later(func(ctx context.Context) (policy.Verdict, error) {
		return b.Spare(ctx, v, m, recipients...)
	}), nil
}

// Spare is Unless where the caller has asked already.
func (b Bypass) Spare(ctx context.Context, v policy.Verdict, m *policy.Message, recipients ...*policy.Recipient) (policy.Verdict, error) {
	return b.Lists(ctx, m, recipients, func(by string, err error) (policy.Verdict, error) {
		switch {
		case by != "":
			return policy.Pass.Because("bypass: %s; else: %s", by, v.Cause()).Noted(), nil
		case err != nil && v.Objects():
			return Unsure(v, err)
		}
		return v, nil
	})
}

// Lists finds out which entry leaves the message alone, for one of the recipients, and has judge
// say what that comes to: by is "" for none. An error means that there may be one. Where a sender
// must be vouched for, judge is asked once that is known.
func (b Bypass) Lists(
	ctx context.Context, m *policy.Message, recipients []*policy.Recipient, judge func(by string, err error) (policy.Verdict, error),
) (policy.Verdict, error) {
	found, err := b.find(ctx, m)
	for i := 0; i < len(recipients) && found.by == "" && err == nil; i++ {
		found.by, err = b.recipient(ctx, recipients[i])
	}
	if found.by != "" {
		trace.Add(ctx, "bypass", found.by)
		return judge(found.by, nil)
	}
	if !found.sender.Found() {
		return judge("", err)
	}
	return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
		why, failure := b.notVouched(ctx, m)
		if why == "" && failure == nil {
			by := entryOf(found.sender)
			trace.Add(ctx, "bypass", by)
			return judge(by, nil)
		}
		if failure == nil {
			trace.Add(ctx, "entry "+found.sender.Where(), policy.PermitNotCounted+": sender is not vouched for ("+why+")")
		}
		return judge("", errors.Join(err, failure))
	}), nil
}

// recipient looks a recipient up in the lists that may name him.
func (b Bypass) recipient(ctx context.Context, r *policy.Recipient) (by string, err error) {
	match, err := b.List.Address(ctx, r.Address)
	if by = entryOf(match); by != "" || err != nil {
		return by, err
	}
	match, err = b.Recipients.Address(ctx, r.Address)
	return entryOf(match), err
}

// atRcpt bounds what SPF may take where the sender need not be vouched for: whoever is slow is not
// left alone.
const atRcpt = 2 * time.Second

// Unsure makes an objection temporary because a list that could take it back has failed. Where the
// mail is judged again and the record does not tell what the list said, that is the error: nobody
// is to guess.
func Unsure(v policy.Verdict, err error) (policy.Verdict, error) {
	if errors.Is(err, trace.ErrNotRecorded) {
		return policy.Pass, err
	}
	return v.Deferred().Because("%s; it may be exempt: %v", v.Cause(), err), nil
}

// bypassed is what a list has about a message.
type bypassed struct {
	by     string      // the entry that leaves it alone, "" for none
	sender table.Match // one that does if the sender is vouched for
}

// find looks the sender and the client up.
func (b Bypass) find(ctx context.Context, m *policy.Message) (found bypassed, err error) {
	client, clientErr := m.Conn.LookUp(ctx, b.List)
	if found.by = entryOf(client); found.by != "" {
		return found, nil
	}
	alone, aloneErr := m.Conn.LookUp(ctx, b.Clients)
	if found.by = entryOf(alone); found.by != "" {
		return found, nil
	}
	sender, senderErr := b.List.Address(ctx, m.Sender)
	switch {
	case sender.Action.Verb != table.OK:
	case m.Trusted() || m.Conn.Permitted || strings.EqualFold(sender.Action.Text, "unverified"):
		found.by = entryOf(sender)
		return found, nil
	default:
		found.sender = sender
	}
	return found, errors.Join(clientErr, aloneErr, senderErr)
}

// notVouched says why nothing vouches for the sender, "" where something does.
func (b Bypass) notVouched(ctx context.Context, m *policy.Message) (why string, err error) {
	if b.Unvouched {
		return b.notKnown(ctx, m)
	}
	vouched, err := m.Vouched(ctx)
	if vouched {
		return "", nil
	}
	var noted trace.Trace // as Vouched has
	result, _ := m.SPF(trace.With(ctx, &noted))
	return fmt.Sprintf("SPF %s", result), err
}

// notKnown is notVouched at RCPT, where SPF alone is known and the answer is due soon.
func (b Bypass) notKnown(ctx context.Context, m *policy.Message) (why string, err error) {
	ctx, cancel := context.WithTimeout(ctx, atRcpt)
	defer cancel()
	switch result, err := m.SPF(ctx); result {
	case mailauth.SPFPass, mailauth.SPFNone, mailauth.SPFNeutral:
		return "", err
	default:
		return fmt.Sprintf("SPF %s", result), err
	}
}

// entryOf names an entry that lets mail pass, "" for any other: DUNNO does not.
func entryOf(m table.Match) string {
	if m.Action.Verb != table.OK {
		return ""
	}
	return fmt.Sprintf("%s matches %s", strconv.QuoteToASCII(m.Key), m.Where())
}
