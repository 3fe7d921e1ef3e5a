package policy

import (
	"context"
	"net/netip"
	"time"
)

// Known is what operations may ask besides the state, so that they can warn of mistakes. A nil
// function is of what is not known where the operation is carried out.
type Known struct {
	// Checks are those that there are.
	Checks []*Check
	// Mode is the one in which a check runs by its configuration.
	Mode func(check string) Mode
	// Local reports whether a domain is ours; ok is false where nobody says which are.
	Local func(ctx context.Context, domain string) (local, ok bool, err error)
	// Ours says in words why clients of a net are ours, such as that it is in --trusted-nets; ""
	// where they are not.
	Ours func(ctx context.Context, net netip.Prefix) string
	// Mail counts recorded mail.
	Mail func(context.Context, MailCase) (MailCount, error)
	// Forgets says that the state ends with the daemon.
	Forgets bool
}

// MailCase is which recorded mail is counted: what is set must hold.
type MailCase struct {
	// Within is how far back.
	Within time.Duration
	// Sender and Recipient are an address or @DOMAIN; Client is a net.
	Sender, Recipient string
	Login             string
	Client            netip.Prefix
}

// MailCount is how much there was. More says that there was more than was counted.
type MailCount struct {
	Messages, Accepted int
	More               bool
}
