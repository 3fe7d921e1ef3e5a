// Package callforward asks a server whether a recipient exists: the one that mail goes to next, by
// SMTP or LMTP, or the one that keeps the mailboxes, by Dovecot's userdb.
//
// An error means that nobody knows, and never "does not exist". A refusal is believed only when it
// speaks of the recipient (judge.go): what a server refuses because of us, of its load or of a full
// mailbox says nothing. A refusal without an enhanced code is believed only of a server that has
// accepted somebody of that domain within a week (domains.go): "550 relay not permitted" looks the
// same.
//
// A server that accepts a random name of a domain is used for nothing there until it refuses one:
// [ErrSuspended]. It is asked for a random name in the background, once an hour, behind an answer
// that says yes.
//
// Questions cost the server. At most 10 are under way at once and 30 in any minute (turns.go),
// connections are kept for a while and left after nine refusals (conn.go). That many who want to
// know the same put one question is internal/recipients' part. What does not answer at all is left
// alone until it does (internal/backend).
package callforward
