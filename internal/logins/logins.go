// Package logins is what passes between the process that sees passwords (mailweir auth) and the
// milter: the one asks whether a client is blocked and tells what came of an attempt to log in. The
// milter's socket for it takes this and nothing else, so that whoever takes over the process that
// everybody may talk to has gained no control of the milter.
//
// It is HTTP with JSON over a unix socket: POST /v1/login with a [message]; the answer is an
// [Answer]. POST /v1/event with a [policy.Event] is for the milter's record ([Relay]); who takes
// it there believes it no more than that a login was decided so.
package logins

import (
	"net/netip"

	"mailweir/internal/policy"
)

const (
	path      = "/v1/login"
	eventPath = "/v1/event"
)

// message is a question, or, with an Outcome, a report.
type message struct {
	Client  netip.Addr `json:"client"`
	Login   string     `json:"login,omitempty"`
	Outcome outcome    `json:"outcome,omitempty"`
	// Again says of a failure that it was the same wrong password as before.
	Again bool `json:"again,omitempty"`
}

type outcome string

const (
	succeeded outcome = "succeeded"
	failed    outcome = "failed"
)

// Answer says whether a client is blocked, and why.
type Answer struct {
	Blocked bool   `json:"blocked"`
	Cause   string `json:"cause,omitempty"`
}

// Bounds in octets of what comes and of a login in it.
const (
	maxMessage = 4 << 10
	maxLogin   = 1 << 10
)

func (m *message) login() policy.Login {
	return policy.Login{Client: policy.Unmapped(m.Client), Name: m.Login}
}
