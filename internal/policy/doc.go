// Package policy is the vocabulary of mailweir: what a check is, what it may read, and what it can
// say.
//
// A [Check] is a declaration, all data but one function. Its hooks judge three scopes, each inside
// the one before: a [Connection], a [Message] (from MAIL to the end of the message) and a
// [Recipient]. A hook returns a [Verdict] ("this should not pass, with this reply") or an error
// (the check failed), and never waits: what waits is returned as [Question.Later]. Judging reads;
// only Settle hooks write, after the answer.
//
// What becomes of a verdict is the business of package runner, which imports this one; no check
// imports it. The package knows neither the milter protocol nor any single check.
package policy
