package importing

import (
	"net/netip"
	"time"
)

// Memory is what an old program remembers of mail, for the state. It is no part of the files:
// whoever imports has it entered when they are written.
type Memory struct {
	// IPv4 and IPv6 are the lengths of the nets by which it knows clients.
	IPv4, IPv6 int
	Triplets   []Triplet
	Clients    []Client
}

// Triplet is a client, a sender and a recipient that a greylisting program knows.
type Triplet struct {
	Client    netip.Addr // an address of the net
	Sender    string     // "" is the null sender
	Recipient string
	// Passed says that mail has come back in time; else the program waits for it since First.
	Passed bool
	First  time.Time
	Until  time.Time
}

// Client is one of whom a greylisting program has seen triplets pass.
type Client struct {
	Client netip.Addr
	Passes int
	// Known says that the program lets all its mail pass.
	Known bool
	Until time.Time
}
