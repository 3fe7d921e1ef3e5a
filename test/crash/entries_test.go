package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"mailweir/checks/account"
	"mailweir/checks/managed"
	"mailweir/checks/tempblock"
	"mailweir/internal/admin"
	"mailweir/internal/policy"
)

// entries are what a person enters at run time, through the control socket of whichever mailweir is
// running.
type entries struct {
	t     *testing.T
	path  string // of the socket
	given int

	mu     sync.Mutex
	stands map[string]bool // what was acknowledged: the entry is there, or was taken back
}

// kinds are the commands that enter something, by turns, and how their lists name it.
var kinds = []struct {
	add, remove string
	entry       func(n int) (name string, request any)
}{
	{"account/off", "account/on", func(n int) (string, any) {
		name := fmt.Sprintf("u%d.example", n)
		return "account outbound " + name, map[string]string{"side": "outbound", "name": name}
	}},
	{"tempblock/add", "tempblock/rm", func(n int) (string, any) {
		client := fmt.Sprintf("10.0.%d.%d", n/250, n%250+1)
		return "tempblock " + client, map[string]string{"client": client}
	}},
	{"managed/add", "managed/rm", func(n int) (string, any) {
		user, subject := fmt.Sprintf("u%d@example.org", n), "spammer@example.net"
		return "managed " + user + " " + subject, map[string]string{"recipient": user, "subject": subject}
	}},
}

// takenBack is how many entries come between one that is taken back and its command.
const takenBack = 7

// enter gives commands until one fails. The mailweir that fails must have been killed: then the
// last command may have been carried out, or not.
func (e *entries) enter(ctx context.Context, killed func() bool) {
	client := admin.NewClient(e.path)
	defer client.Close()
	for ctx.Err() == nil {
		e.given++
		kind := kinds[e.given%len(kinds)]
		command, n, stands := kind.add, e.given, true
		if e.given%takenBack == 0 && e.given > takenBack {
			n = e.given - takenBack
			kind = kinds[n%len(kinds)]
			command, stands = kind.remove, false
		}
		name, request := kind.entry(n)
		if n != e.given && !e.is(name) {
			continue // its own command was not acknowledged
		}
		e.unknown(name)
		body, err := json.Marshal(request)
		if err != nil {
			e.t.Error(err)
			return
		}
		if _, err := client.Do(ctx, admin.Request{Operation: command, Why: "asked for it", Body: body}); err != nil {
			var refused *policy.WrongError
			if ctx.Err() == nil && (!killed() || errors.As(err, &refused)) {
				e.t.Errorf("%s %s: %v", command, name, err)
			}
			return
		}
		e.acknowledged(name, stands)
	}
}

func (e *entries) is(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stands[name]
}

// unknown is between a command and its answer.
func (e *entries) unknown(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.stands, name)
}

func (e *entries) acknowledged(name string, stands bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stands[name] = stands
}

// check asks the running mailweir for all that it knows: what was acknowledged is so.
func (e *entries) check() {
	e.t.Helper()
	got := e.list()
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, stands := range e.stands {
		if got[name] != stands {
			e.t.Errorf("%s: acknowledged %t, found %t", name, stands, got[name])
		}
	}
}

// account is the name of an account that is switched off.
func (e *entries) account() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, stands := range e.stands {
		if account, found := strings.CutPrefix(name, "account outbound "); found && stands {
			return account
		}
	}
	return ""
}

func (e *entries) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.stands)
}

// list returns what the lists of the running mailweir name, as kinds does.
func (e *entries) list() map[string]bool {
	e.t.Helper()
	client := admin.NewClient(e.path)
	defer client.Close()
	var accounts []account.Switch
	var blocks []tempblock.Entry
	var managed []managed.Entry
	nothing := struct{}{}
	if err := errors.Join(
		client.Ask(e.t.Context(), "account/list", nothing, &accounts),
		client.Ask(e.t.Context(), "tempblock/list", nothing, &blocks),
		client.Ask(e.t.Context(), "managed/list", nothing, &managed),
	); err != nil {
		e.t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, a := range accounts {
		found["account "+a.Side+" "+a.Name] = a.Note != "" && a.By != ""
	}
	for _, b := range blocks {
		found["tempblock "+b.Net] = b.Note != "" && b.By != ""
	}
	for _, m := range managed {
		found["managed "+m.Recipient+" "+m.Subject] = m.Note != "" && m.By != ""
	}
	return found
}
