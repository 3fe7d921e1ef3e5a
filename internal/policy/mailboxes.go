package policy

import (
	"context"
	"net/netip"

	"mailweir/internal/address"
)

// Mailboxes is a server that knows which addresses exist: the one that mail goes to next, or the
// one that keeps the mailboxes. It is safe for use by many at once.
type Mailboxes interface {
	// Ask reports whether the address exists, and what the server said, which is for the
	// administrator only. An error means that this could not be told; it names the server. Where
	// the server must not be asked just now, Ask waits for its turn until the context ends; without
	// wait it fails at once.
	Ask(ctx context.Context, to address.Address, wait bool) (exists bool, said string, err error)
	// Ours reports whether a client is one of our own questions that has come back to us: the
	// server passes mail on to this very host.
	Ours(client netip.AddrPort, helo string) bool
	// Suspended says why the server is used for nothing for a domain at present, such as that it
	// accepts every address of it; "" when it is used. It does not wait. Ask is an error meanwhile,
	// and nobody of the domain is refused.
	Suspended(domain string) string
	// Suspensions returns all such domains, and why. It does not wait.
	Suspensions() map[string]string
}

// MailboxesInspector is a [Mailboxes] that can say, for a person, whether it works for these
// domains.
type MailboxesInspector interface {
	Inspect(ctx context.Context, domains []string) (text string, remarks []string, err error)
}
