// Package checks has the ordered list of the checks. Each is a package below this one, named as its
// flag without hyphens, with everything that is its own: declaration, replies, flags, help and
// hooks in check.go, what it remembers, what people enter at run time, and its tests. A new check
// is a new package, named here.
package checks

import (
	"mailweir/checks/account"
	"mailweir/checks/address"
	"mailweir/checks/auth"
	"mailweir/checks/autoallow"
	"mailweir/checks/clientblock"
	"mailweir/checks/concurrency"
	"mailweir/checks/content"
	"mailweir/checks/envelopefrom"
	"mailweir/checks/fault"
	"mailweir/checks/greylist"
	"mailweir/checks/headerfrom"
	"mailweir/checks/hops"
	"mailweir/checks/impersonation"
	"mailweir/checks/load"
	"mailweir/checks/lockout"
	"mailweir/checks/managed"
	"mailweir/checks/openrelay"
	"mailweir/checks/outboundlimit"
	"mailweir/checks/rbl"
	"mailweir/checks/rcptlimit"
	"mailweir/checks/recipient"
	"mailweir/checks/reputation"
	"mailweir/checks/requireauth"
	"mailweir/checks/requiretls"
	"mailweir/checks/senderblock"
	"mailweir/checks/senderlogin"
	"mailweir/checks/signature"
	"mailweir/checks/size"
	"mailweir/checks/spam"
	"mailweir/checks/tempblock"
	"mailweir/checks/truncated"
	"mailweir/checks/virus"
	"mailweir/internal/policy"
)

// Registry returns every check, and the order in which their objections are answered. The first
// enforced objection in this order is the answer; see docs/checks/decisions.md.
func Registry() *policy.Registry {
	return &policy.Registry{
		Checks: []*policy.Check{
			load.Check, address.Check, clientblock.Check, tempblock.Check, concurrency.Check,
			auth.Check, requireauth.Check, senderlogin.Check, openrelay.Check, account.Check, senderblock.Check,
			envelopefrom.Check, lockout.Check, managed.Check, autoallow.Check, rbl.Check, reputation.Check,
			requiretls.Check, size.Check, recipient.Check, outboundlimit.Check, rcptlimit.Check, greylist.Check, hops.Check,
			headerfrom.Check, impersonation.Check, truncated.Check, virus.Check, signature.Check, content.Check, spam.Check, fault.Check,
		},
		Order: map[policy.Stage][]*policy.Check{
			policy.StageHelo: {load.Check},
			policy.StageAuth: {auth.Check}, // by a process of its own
			policy.StageMail: {
				address.Check, clientblock.Check, tempblock.Check, concurrency.Check, requireauth.Check,
				senderlogin.Check, requiretls.Check, size.Check, outboundlimit.Check,
			},
			policy.StageRcpt: {
				address.Check, concurrency.Check, openrelay.Check, account.Check, senderblock.Check,
				envelopefrom.Check, lockout.Check, managed.Check, autoallow.Check, rbl.Check, reputation.Check,
				requiretls.Check, size.Check, recipient.Check, outboundlimit.Check, rcptlimit.Check, greylist.Check,
			},
			policy.StageHeaders: {
				hops.Check, headerfrom.Check, impersonation.Check, senderblock.Check, lockout.Check, managed.Check, greylist.Check,
			},
			policy.StageEnd: {load.Check, size.Check, truncated.Check, virus.Check, signature.Check, content.Check, spam.Check},
		},
		Fault:       fault.Check,
		Unavailable: reputation.ReplyUnavailable,
		Unprocessed: fault.ReplyUnprocessed,
	}
}
