// Package policy is the vocabulary of mailweir and its runner: what a check is, what it may read, how
// its finding becomes an answer to the MTA.
//
// A [Check] is a declaration, all data but one function. Its hooks judge three scopes, each inside
// the one before: a [Connection], a [Message] (from MAIL to the end of the message) and a [Recipient]. A hook
// returns a [Verdict] ("this should not pass, with this reply") or an error ("I could not tell"), and
// never waits: what waits is returned as [Later] and run by the [Runner].
//
// Objections stay pending in their scope. Wherever the MTA is owed an answer, the [Session] resolves them for
// the recipient in question, in the one printed order of the [Registry]: what a permit or an exemption of
// the client lets past is dropped, what is only monitored is recorded, and the first enforced one answers.
// Judging reads; only Settle hooks write, after the answer.
//
// The package knows neither the milter protocol nor any single check.
package policy
