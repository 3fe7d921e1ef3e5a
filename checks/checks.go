// Package checks holds the rules: one file a check, with its declaration, replies, flags and help, and its test
// beside it. The file's name begins with the stage at which the check decides first. This file has the ordered
// list; adding a check means writing its file and naming it here.
package checks

import "mailweir/internal/policy"

// Registry returns every check, and the order in which their objections are answered. The first
// enforced objection in this order is the answer; see docs/decisions.md.
func Registry() *policy.Registry {
	return &policy.Registry{
		Checks: []*policy.Check{
			Load, Address, ClientBlock, Tempblock, Concurrency, RequireAuth, SenderLogin, OpenRelay, Account, SenderBlock, EnvelopeFrom, Lockout, Managed, AutoAllow, RBL, Reputation, RequireTLS,
			Size, OutboundLimit, RcptLimit, Greylist, Hops, HeaderFrom, Truncated, Signature, Content, Fault,
		},
		Order: map[policy.Stage][]*policy.Check{
			policy.StageHelo:    {Load},
			policy.StageMail:    {Address, ClientBlock, Tempblock, Concurrency, RequireAuth, SenderLogin, RequireTLS, Size, OutboundLimit},
			policy.StageRcpt:    {Address, Concurrency, OpenRelay, Account, SenderBlock, EnvelopeFrom, Lockout, Managed, AutoAllow, RBL, Reputation, RequireTLS, Size, OutboundLimit, RcptLimit, Greylist},
			policy.StageHeaders: {Hops, HeaderFrom, SenderBlock, Lockout, Managed, Greylist},
			policy.StageEnd:     {Load, Size, Truncated, Signature, Content},
		},
		Fault:       Fault,
		Unavailable: replyUnavailable,
		Unprocessed: replyUnprocessed,
	}
}
