package auth

import (
	"net/netip"
	"strings"
	"testing"

	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
)

// What has succeeded from a net is remembered, and nothing else.
func TestKnownLogins(t *testing.T) {
	client := netip.MustParseAddr("192.0.2.1")
	for _, c := range []struct {
		name   string
		flags  []string
		login  policy.Login
		failed bool
		want   bool
	}{
		{name: "succeeded", login: policy.Login{Client: client, Name: "bob"}, want: true},
		{name: "succeeded while only monitored", flags: []string{"--mode=monitor"}, login: policy.Login{Client: client, Name: "bob"}, want: true},
		{name: "failed", login: policy.Login{Client: client, Name: "bob"}, failed: true},
		{name: "another", login: policy.Login{Client: client, Name: "alice"}},
		{name: "from elsewhere", login: policy.Login{Client: netip.MustParseAddr("192.0.2.2"), Name: "bob"}},
		{name: "from nowhere", login: policy.Login{Name: "bob"}},
		{name: "of nobody", login: policy.Login{Client: client}},
		{name: "off", flags: []string{"--auth=off"}, login: policy.Login{Client: client, Name: "bob"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := policytest.Only(Check).Host(t, c.flags...)
			h.Runner.LoginEnded(t.Context(), c.login, policy.LoginOutcome{Succeeded: !c.failed})
			_, found, err := h.World.State.Get(t.Context(), history.KnownLoginKey("bob", client))
			if found != c.want || err != nil {
				t.Errorf("known %t, %v, want %t", found, err, c.want)
			}
			if got := h.Runner.JudgeLogin(t.Context(), c.login); got.Blocked {
				t.Errorf("%+v", got)
			}
		})
	}
}

// Of the line that the client reads only the reason is ours.
func TestReason(t *testing.T) {
	with := func(code int, enhanced, text string) map[string]*policy.Reply {
		return map[string]*policy.Reply{"auth": {ID: "auth", Code: code, Enhanced: enhanced, Text: text}}
	}
	for _, c := range []struct {
		name      string
		overrides map[string]*policy.Reply
		want, err string
	}{
		{"as declared", nil, "Incorrect authentication data", ""},
		{"another reason", with(535, "5.7.8", "Error: authentication failed: see https://mail.example/help"), "see https://mail.example/help", ""},
		{"no reason", with(535, "5.7.8", "Error: authentication failed: "), "", "must begin with"},
		{"other words", with(535, "5.7.8", "Wrong"), "", `"535 5.7.8 Error: authentication failed: "`},
		{"another code", with(550, "5.7.8", Wrong.Text), "", "must begin with"},
		{"another enhanced code", with(535, "5.7.1", Wrong.Text), "", "must begin with"},
		{"the other reply", map[string]*policy.Reply{"auth-unavailable": Unavailable}, "", "auth-unavailable cannot be overridden"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Reason(c.overrides)
			if got != c.want || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
