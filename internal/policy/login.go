package policy

import (
	"net/netip"
	"time"
)

// Login is an attempt to log in. No milter sees one: the service that looks at passwords, mailweir
// auth, tells of it.
type Login struct {
	// Client is the address that the client connects from; the zero value is unknown.
	Client netip.Addr
	// Name is the login as the client gives it, letters in lower case; "" where it is not known.
	Name string
	// Exempt is what about the client lets it past checks.
	Exempt Exemption
}

// LoginOutcome is what came of an attempt to log in.
type LoginOutcome struct {
	// Succeeded says that the password was right.
	Succeeded bool
	// Again says that it was the same wrong password as before: a program that nobody has told of
	// the new one, and no guess.
	Again bool
	// At is when it was judged.
	At time.Time
}
