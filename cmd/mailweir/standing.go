package main

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
)

// checksStanding is the operation that tells how checks stand, and what decides over the file of
// modes.
const checksStanding = "checks/standing"

// modesFile is the file of the directory of flags that "mailweir enforce" writes.
const modesFile = "60-modes.conf"

// standing is how checks stand under a configuration.
type standing struct {
	// Dir is the directory of files of flags, "" for none.
	Dir    string                   `json:"dir"`
	Checks map[string]checkStanding `json:"checks"`
	// Cap is --mode, and where it stands.
	Cap   policy.Mode `json:"cap"`
	CapAt string      `json:"cap_at"`
}

// checkStanding is how one check stands.
type checkStanding struct {
	Mode policy.Mode `json:"mode"`
	// At is where its mode comes from.
	At string `json:"at"`
	// Above are the places that win over a line in the file of modes.
	Above []string `json:"above,omitempty"`
}

// standing is how checks stand under these flags.
func (s *settings) standing() standing {
	st := standing{Dir: absoluteDir(s.found.Dir), Checks: map[string]checkStanding{}, Cap: policy.Enforce, CapAt: s.found.Of("mode", 0)}
	if f, ok := s.flags.Lookup("mode").Value.(*policy.Mode); ok {
		st.Cap = *f
	}
	for _, c := range s.draft.Registry().Checks {
		one := checkStanding{Mode: s.mode(c.Name), At: s.found.Of(c.Name, 0)}
		if _, byDefault := s.draft.DefaultMode(s.flags.Lookup(c.Name)); byDefault {
			one.At = s.found.Of("default-mode", 0) + " (default-mode)"
		}
		for _, place := range s.found.Above(c.Name, filepath.Join(s.found.Dir, modesFile)) {
			one.Above = append(one.Above, place.String())
		}
		st.Checks[c.Name] = one
	}
	return st
}

// absoluteDir names a directory for whoever works in another one.
func absoluteDir(dir string) string {
	if abs, err := filepath.Abs(dir); dir != "" && err == nil {
		return abs
	}
	return dir
}

func standingOperation(tell func() standing) policy.Operation {
	run := func(context.Context, *policy.Call, policy.Nothing) (standing, error) { return tell(), nil }
	return policy.NewOperation(policy.About{Name: "standing", Daemon: true, Hidden: true, Quiet: true}, policy.Unasked, run, nil)
}

// standingNow is how checks stand at the running daemon; running is false where none runs, and then
// it is what these flags say.
func (s *settings) standingNow(ctx context.Context) (st standing, running bool, err error) {
	if *s.daemon.control == "" {
		return s.standing(), false, nil
	}
	client, err := dial(*s.daemon.control)
	if err != nil {
		return standing{}, false, err
	}
	defer client.Close()
	answer, err := client.Do(ctx, admin.Request{Operation: checksStanding, Body: json.RawMessage("{}")})
	switch {
	case errors.Is(err, admin.ErrNotRunning):
		return s.standing(), false, nil
	case err != nil:
		return standing{}, false, at(*s.daemon.control, err)
	}
	return st, true, json.Unmarshal(answer, &st)
}
