// Package mailauth finds out who vouches for a sender: SPF (RFC 7208) for the client's address,
// DKIM (RFC 6376) for the message, and which domains belong together. It takes plain values and a
// resolver and knows nothing of policies: what follows from a result is decided where it is asked
// for.
package mailauth
