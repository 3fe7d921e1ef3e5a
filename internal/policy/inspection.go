package policy

import "context"

// Inspection asks something outside whether it works, for a person: a directory, a scanner, the
// next server. "mailweir check" and the start ask each once, /readyz?verbose when somebody looks.
type Inspection struct {
	// Name is what is asked, as it is configured: ldap:/etc/postfix/users.cf,
	// clamd:unix:/run/clamd. It holds no secret.
	Name string
	// Look asks, and ends when the context does.
	Look func(context.Context) (Found, error)
}

// Found is what an [Inspection] has found.
type Found struct {
	// Text says in a few words what has answered: "ClamAV 1.4.6, signatures of 27 November".
	Text string
	// Remarks are sentences about what the administrator may not expect.
	Remarks []string
}
