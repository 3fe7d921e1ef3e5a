package tempblock

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
)

const officeAddress = "192.0.2.1"

func attempt(client, name string) policy.Login {
	l := policy.Login{Name: name}
	if client != "" {
		l.Client = netip.MustParseAddr(client)
	}
	return l
}

// fails plays logins that fail.
func fails(h *policytest.Host, l policy.Login, n int) {
	for range n {
		h.Runner.LoginEnded(h.T.Context(), l, policy.LoginOutcome{})
	}
}

func TestTempblockLogins(t *testing.T) {
	office := attempt(officeAddress, "bob")
	for _, c := range []struct {
		name  string
		flags []string
		does  func(*policytest.Host)
		login policy.Login
		want  bool // that the login is turned away
		mail  bool // that mail without a login is
	}{
		{name: "ten failures", does: func(h *policytest.Host) { fails(h, office, 10) }, want: true, mail: true},
		{name: "one less", does: func(h *policytest.Host) { fails(h, office, 9) }},
		{name: "the same wrong password again", does: func(h *policytest.Host) {
			for range 50 {
				h.Runner.LoginEnded(h.T.Context(), office, policy.LoginOutcome{Again: true})
			}
		}},
		{name: "logins that succeed", does: func(h *policytest.Host) {
			for range 50 {
				h.Runner.LoginEnded(h.T.Context(), office, policy.LoginOutcome{Succeeded: true})
			}
		}},
		{name: "an unknown client", login: attempt("", "bob"), does: func(h *policytest.Host) { fails(h, attempt("", "bob"), 50) }},
		{name: "a trusted client", flags: []string{"--trusted-nets=192.0.2.0/24"}, does: func(h *policytest.Host) { fails(h, office, 50) }},
		{name: "a permitted client", flags: []string{"--permit-clients=inline:{192.0.2.1=OK}"}, does: func(h *policytest.Host) { fails(h, office, 50) }},
		{name: "an inbound relay", flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, does: func(h *policytest.Host) { fails(h, office, 50) }},
		{name: "off", flags: []string{"--tempblock=off"}, does: func(h *policytest.Host) { fails(h, office, 50) }},
		{name: "monitored", flags: []string{"--tempblock=monitor"}, does: func(h *policytest.Host) { fails(h, office, 50) }},
		{name: "a login that has succeeded from there", mail: true, does: func(h *policytest.Host) {
			knownLogin(h, "bob", officeAddress)
			fails(h, office, 50)
		}},
		{name: "a login that has succeeded from elsewhere", want: true, mail: true, does: func(h *policytest.Host) {
			knownLogin(h, "bob", "192.0.2.2")
			fails(h, office, 10)
		}},
		{name: "another login that has succeeded from there", want: true, mail: true, does: func(h *policytest.Host) {
			knownLogin(h, "alice", officeAddress)
			fails(h, office, 10)
		}},
		{name: "a login that is not known yet", login: attempt(officeAddress, ""), want: true, mail: true, does: func(h *policytest.Host) {
			knownLogin(h, "bob", officeAddress)
			fails(h, office, 10)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := policytest.Only(Check).Host(t, append([]string{"--tempblock=enforce"}, c.flags...)...)
			c.does(h)
			if c.login == (policy.Login{}) {
				c.login = office
			}
			got := h.Runner.JudgeLogin(t.Context(), c.login)
			if got.Blocked != c.want || got.Blocked != strings.Contains(got.Cause, "tempblock: 192.0.2.1 is blocked until") {
				t.Errorf("%+v, want blocked %t", got, c.want)
			}
			if got := blocked(h, officeAddress); got != c.mail {
				t.Errorf("mail is blocked: %t, want %t", got, c.mail)
			}
		})
	}
}

func knownLogin(h *policytest.Host, login, client string) {
	h.T.Helper()
	if _, err := h.World.State.Do(h.T.Context(), history.KnownLogin(login, netip.MustParseAddr(client))); err != nil {
		h.T.Error(err)
	}
}

// What would have been turned away stands in the record, and a login is known for thirty days.
func TestTempblockLoginCourse(t *testing.T) {
	h := policytest.Only(Check).Host(t, "--tempblock=monitor")
	office := attempt(officeAddress, "bob")
	fails(h, office, 10)
	if got := h.Runner.JudgeLogin(t.Context(), office); got.Blocked {
		t.Error(got)
	}
	events := h.Taken()
	if len(events) != 1 || events[0].Check != Check.Name || events[0].Action != policy.ActionWould || events[0].Stage != policy.StageAuth ||
		events[0].Login != "bob" || events[0].Reply != reply.ID || events[0].Line.Code() != 451 {
		t.Errorf("%+v", events[0])
	}
	h = policytest.Only(Check).Host(t, "--tempblock=enforce", "--tempblock-for=60d", "--tempblock-max=60d")
	knownLogin(h, "bob", officeAddress)
	fails(h, office, 10)
	h.After(30*24*time.Hour - time.Minute)
	if got := h.Runner.JudgeLogin(t.Context(), office); got.Blocked {
		t.Error("forgotten too early", got)
	}
	h.After(time.Minute)
	if got := h.Runner.JudgeLogin(t.Context(), office); !got.Blocked {
		t.Error("never forgotten")
	}
}

// Without the state logins go on, unless the administrator wants them to wait.
func TestTempblockLoginOnError(t *testing.T) {
	for flag, want := range map[string]bool{"--tempblock-on-error=accept": false, "--tempblock-on-error=defer": true} {
		h := policytest.Only(Check).HostOn(t, policytest.Broken(listSpace), "--tempblock=enforce", flag)
		fails(h, attempt(officeAddress, "bob"), 1)
		if got := h.Runner.JudgeLogin(t.Context(), attempt(officeAddress, "bob")); got.Blocked != want {
			t.Errorf("%s: %+v", flag, got)
		}
	}
}
