package policytest

import "mailweir/internal/policy"

// Scripted declares a check of the test's own, which enforces. Its reply is "550 5.7.1 NAME".
func Scripted(name string, hooks policy.Hooks) *policy.Check {
	return &policy.Check{
		Name: name, Mode: policy.Enforce, Replies: []*policy.Reply{ScriptedReply(name)},
		Setup: func(*policy.Flags) policy.Build {
			return func(*policy.Env) (policy.Hooks, error) { return hooks, nil }
		},
	}
}

// Refuses is a scripted check that refuses each recipient of whom want is true.
func Refuses(name string, want func(*policy.Recipient) bool) *policy.Check {
	return Scripted(name, policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
		if want(r) {
			return policy.Object(ScriptedReply(name)), nil
		}
		return policy.Pass, nil
	}})
}

// RefusesMessage is a scripted check that refuses each message of whose header want is true.
func RefusesMessage(name string, want func(*policy.Message) bool) *policy.Check {
	return Scripted(name, policy.Hooks{Headers: func(m *policy.Message) (policy.Verdict, error) {
		if want(m) {
			return policy.Object(ScriptedReply(name)), nil
		}
		return policy.Pass, nil
	}})
}

// ScriptedReply is the declaration of "550 5.7.1 NAME".
func ScriptedReply(name string) *policy.Reply {
	return &policy.Reply{ID: name, Row: "P0", Code: 550, Enhanced: "5.7.1", Text: name}
}
