package policy

// Offence is something bad that a client does. Each [Reply] declares which one it shows, so that
// what counts offences needs no list of checks.
type Offence uint8

const (
	// NoOffence: nothing bad about the client. Technical limits show none, nor do the wishes of one
	// user, nor what offences have led to. Where good and bad are counted side by side, it stands
	// for the recipients whose mail was accepted.
	NoOffence          Offence = iota
	OffenceInvalidRcpt         // a recipient that does not exist
	OffenceOpenRelay           // a recipient to whom an untrusted client may not relay
	OffenceConcurrency         // a transaction over the client's own limit
	OffenceBlocked             // a transaction refused by a block list or for its content
	OffenceListed              // a transaction refused because of a DNS list
	OffenceVirus               // a transaction refused because of a virus
	OffenceSpam                // a transaction refused as spam
	OffenceAuthFail            // a login that failed
	Offences           = iota  // how many there are
)

// String returns the name that stands in flags, in the state and in what commands show.
func (o Offence) String() string {
	return [Offences]string{
		"good", "invalid-rcpt", "open-relay", "concurrency", "blocked", "listed", "virus", "spam", "auth-fail",
	}[o]
}
