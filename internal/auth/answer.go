package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Mechanism is a SASL mechanism that is offered. Flags are what Dovecot says of it ("plaintext"),
// by which smtpd_sasl_security_options chooses.
type Mechanism struct {
	Name  string
	Flags []string
}

// ParseMechanisms reads names of mechanisms. PLAIN and LOGIN get the flag that Dovecot gives them.
func ParseMechanisms(names []string) ([]Mechanism, error) {
	list := make([]Mechanism, 0, len(names))
	for _, name := range names {
		m := Mechanism{Name: strings.ToUpper(name)}
		if !isMechanism(m.Name) {
			return nil, fmt.Errorf("%q is not the name of a mechanism such as PLAIN or SCRAM-SHA-256", name)
		}
		if m.Name == "PLAIN" || m.Name == "LOGIN" {
			m.Flags = []string{"plaintext"}
		}
		list = append(list, m)
	}
	if len(list) == 0 {
		return nil, errors.New("name one mechanism at least, or smtpd does not start")
	}
	return list, nil
}

// Judge finds out whether passwords are right: a password file, or a Dovecot.
type Judge interface {
	// Mechanisms are offered now. It never waits.
	Mechanisms() []Mechanism
	// Begin opens what one smtpd needs.
	Begin() Exchanges
	// Close ends what is under way beside exchanges.
	Close()
}

// Exchanges are those of one smtpd, one after the other.
type Exchanges interface {
	// Start begins an exchange and forgets the one before. Continue takes the next response, in
	// base64. seen is what all responses so far show.
	Start(ctx context.Context, r *request, seen *glance) (answer, error)
	Continue(ctx context.Context, response []byte, seen *glance) (answer, error)
	Close()
}

// answer is what is said to a response. An error instead means that nobody knows.
type answer struct {
	kind answerKind
	// challenge is the next one, in base64.
	challenge string
	// user is who has logged in.
	user string
	// cause is why a login failed, for the administrator.
	cause string
}

type answerKind uint8

const (
	wrong answerKind = iota
	right
	challenged
)

// errBusy is the error of who did not get his turn in time.
var errBusy = errors.New("too many guesses are under way (--auth-parallel)")

func isWrong(cause string) answer { return answer{kind: wrong, cause: cause} }
