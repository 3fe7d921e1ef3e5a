package door

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func table(rows map[string]string) Lookup {
	return func(_ context.Context, key string) (string, bool, error) {
		if key == "broken" {
			return "", false, errors.New("the table does not answer")
		}
		value, found := rows[key]
		return value, found, nil
	}
}

func TestLogin(t *testing.T) {
	r := open(t, Options{Identity: Identity{Users: users(t, usersFile(t, line("anna", "secret", "admin")))}})
	for i, c := range []struct {
		name, password string
		want           int
		says           string
	}{
		{"ANNA", "secret", http.StatusSeeOther, "/own?x=1"},
		{"anna", "Secret", http.StatusUnauthorized, sayWrong},
		{"nobody", "secret", http.StatusUnauthorized, sayWrong},
		{"anna", "", http.StatusUnauthorized, sayWrong},
		{"", "secret", http.StatusUnauthorized, sayWrong},
		{"anna", strings.Repeat("x", 1025), http.StatusUnauthorized, sayWrong},
		{"an\x00na", "secret", http.StatusUnauthorized, sayWrong},
		{strings.Repeat("a", 256), "secret", http.StatusUnauthorized, sayWrong},
		{"<script>alert(1)</script>", "x", http.StatusUnauthorized, sayWrong},
	} {
		b := r.browser(fmt.Sprintf("127.0.1.%d", i+1))
		status, says := b.login(c.name, c.password)
		if status != c.want || !strings.Contains(says, c.says) || (b.cookie != nil) != (c.want == http.StatusSeeOther) {
			t.Errorf("%q: %d %q, cookie %v", c.name, status, says, b.cookie)
		}
		if c.want == http.StatusSeeOther && (b.cookie.Name != "mailweir" || !b.cookie.HttpOnly || b.cookie.SameSite != http.SameSiteLaxMode || b.cookie.Path != "/" || len(b.cookie.Value) != 43) {
			t.Errorf("%+v", b.cookie)
		}
	}
	for _, rec := range r.audit {
		if strings.Contains(rec.Err+rec.Name, "secret") || strings.ContainsAny(rec.Name, "\x00") {
			t.Errorf("the audit has %+v", rec)
		}
	}
	if all := r.audited(); len(all) != 4 || all[0] != "anna: " || !strings.HasPrefix(all[1], "anna: wrong") || !strings.HasPrefix(all[2], "(unknown): wrong") || r.audit[1].Err == "" || r.audit[1].From != "console from 127.0.1.2" {
		t.Errorf("%q", all)
	}
}

// A session ends by itself, by logging out, by another login, and when the file says otherwise.
func TestSessions(t *testing.T) {
	path := usersFile(t, line("anna", "a", "admin"))
	in := func(t *testing.T, r *rig) *browser {
		b := r.browser("")
		if status, _ := b.login("anna", "a"); status != http.StatusSeeOther {
			t.Fatal(status)
		}
		return b
	}
	for _, c := range []struct {
		name string
		then func(t *testing.T, r *rig, b *browser)
		want int
	}{
		{"nothing", func(*testing.T, *rig, *browser) {}, 200},
		{"29 minutes", func(_ *testing.T, r *rig, _ *browser) { r.clock.turn(29 * time.Minute) }, 200},
		{"30 minutes", func(_ *testing.T, r *rig, _ *browser) { r.clock.turn(30 * time.Minute) }, 303},
		{"7:40 of work", func(_ *testing.T, r *rig, b *browser) {
			for range 23 {
				r.clock.turn(20 * time.Minute)
				b.get("/page")
			}
		}, 200},
		{"8 hours of work", func(_ *testing.T, r *rig, b *browser) {
			for range 24 {
				r.clock.turn(20 * time.Minute)
				b.get("/page")
			}
		}, 303},
		{"a logout", func(_ *testing.T, _ *rig, b *browser) {
			old := b.cookie
			b.do(http.MethodPost, "/logout", url.Values{})
			b.cookie = old
		}, 303},
		{"another token", func(_ *testing.T, _ *rig, b *browser) { b.cookie.Value = strings.Repeat("A", 43) }, 303},
		{"the cookie of TLS", func(_ *testing.T, _ *rig, b *browser) { b.cookie.Name = secureCookie }, 303},
		{"another login with it", func(_ *testing.T, _ *rig, b *browser) {
			old := b.cookie
			b.login("anna", "a")
			b.cookie = old
		}, 303},
		{"another password", func(t *testing.T, _ *rig, _ *browser) { rewrite(t, path, line("anna", "b", "admin")) }, 303},
		{"another role", func(t *testing.T, _ *rig, _ *browser) { rewrite(t, path, line("anna", "a", "helpdesk")) }, 303},
		{"other domains", func(t *testing.T, _ *rig, _ *browser) { rewrite(t, path, line("anna", "a", "admin:example.org")) }, 303},
		{"removal", func(t *testing.T, _ *rig, _ *browser) { rewrite(t, path, line("otto", "o", "admin")) }, 303},
		{"another entry", func(t *testing.T, _ *rig, _ *browser) {
			rewrite(t, path, line("anna", "a", "admin"), line("otto", "o", "admin"))
		}, 200},
		{"a broken file", func(t *testing.T, _ *rig, _ *browser) { rewrite(t, path, "anna:admin\n") }, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			rewrite(t, path, line("anna", "a", "admin"))
			r := open(t, Options{Identity: Identity{Users: users(t, path)}})
			b := in(t, r)
			c.then(t, r, b)
			if status, says := b.get("/page"); status != c.want {
				t.Errorf("%d %q, want %d", status, says, c.want)
			}
		})
	}
}

// Nobody gets to know a token from what is kept, and what is kept has a bound.
func TestSessionsKept(t *testing.T) {
	c := newClock()
	s := newSessions(c.Now)
	first := s.begin(account{})
	for range maxSessions {
		c.turn(time.Millisecond)
		s.begin(account{})
	}
	if _, ok := s.find(first, true); ok || len(s.open) != maxSessions {
		t.Errorf("%d sessions, the first of them too: %v", len(s.open), ok)
	}
	for key := range s.open {
		if strings.Contains(string(key[:]), first) {
			t.Error("a token is kept")
		}
	}
}

func TestLimits(t *testing.T) {
	client := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}) }
	tries := func(l *limits, n int, who func(i int) (netip.Addr, string)) (let int) {
		for i := range n {
			if _, wait := beginAt(l)(who(i)); wait == 0 {
				let++
			}
		}
		return let
	}
	for _, c := range []struct {
		name string
		who  func(i int) (netip.Addr, string)
		want int
	}{
		{"one client, many names", func(i int) (netip.Addr, string) { return client(1), fmt.Sprint("n", i) }, guessesClient},
		{"one /64, many names", func(i int) (netip.Addr, string) {
			return netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1)), fmt.Sprint("n", i)
		}, guessesClient},
		{"over a socket", func(i int) (netip.Addr, string) { return netip.Addr{}, fmt.Sprint("n", i) }, guessesClient},
		{"one name, many clients", func(i int) (netip.Addr, string) { return client(i), "anna" }, guessesName},
		{"all", func(i int) (netip.Addr, string) { return client(i), fmt.Sprint("n", i) }, guessesAll},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := newClock()
			l := newLimits(clock.Now)
			if let := tries(l, 1000, c.who); let != c.want {
				t.Errorf("%d guesses, want %d", let, c.want)
			}
			clock.turn(guessWindow)
			if let := tries(l, 1000, c.who); let != c.want {
				t.Errorf("%d guesses later, want %d", let, c.want)
			}
		})
	}
	t.Run("who has logged in is not kept out by strangers", func(t *testing.T) {
		l := newLimits(newClock().Now)
		g, _ := beginAt(l)(client(9999), "anna")
		l.undo(g, true)
		tries(l, 1000, func(i int) (netip.Addr, string) { return client(i), "anna" })
		if _, wait := beginAt(l)(client(9998), "anna"); wait != guessWindow {
			t.Errorf("another client waits %v", wait)
		}
		if _, wait := beginAt(l)(client(9999), "anna"); wait != 0 {
			t.Errorf("he waits %v", wait)
		}
	})
	t.Run("what is right does not count", func(t *testing.T) {
		l := newLimits(newClock().Now)
		for range 100 {
			g, wait := beginAt(l)(client(1), "anna")
			if wait > 0 {
				t.Fatal(wait)
			}
			l.undo(g, true)
		}
	})
	t.Run("what is counted has a bound", func(t *testing.T) {
		clock := newClock()
		l := newLimits(clock.Now)
		for i := range 3 * countedAtMost {
			clock.turn(time.Microsecond)
			beginAt(l)(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), "known")
			l.known[fmt.Sprintf("known %s", netip.AddrFrom4([4]byte{10, byte((i + 1) >> 16), byte((i + 1) >> 8), byte(i + 1)}))] = clock.Now()
		}
		if len(l.counted) > countedAtMost+3 {
			t.Errorf("%d are counted", len(l.counted))
		}
	})
}

// beginAt begins a guess of a client, over a socket where he has no address.
func beginAt(l *limits) func(netip.Addr, string) (guess, time.Duration) {
	return func(client netip.Addr, name string) (guess, time.Duration) {
		return l.begin(clientKey(client, "console socket"), name)
	}
}

// The limit is said, and holds at the door as well.
func TestTooManyGuesses(t *testing.T) {
	r := open(t, Options{Identity: Identity{Users: users(t, usersFile(t, line("anna", "a", "admin")))}})
	b := r.browser("")
	for range guessesClient {
		if status, _ := b.login("anna", "x"); status != http.StatusUnauthorized {
			t.Fatal(status)
		}
	}
	status, says := b.login("anna", "a")
	if status != http.StatusTooManyRequests || !strings.Contains(says, "Try again in 10 minutes") {
		t.Errorf("%d %q", status, says)
	}
	if all := r.audited(); len(all) != guessesClient+1 || all[len(all)-1] != "anna: too many attempts" {
		t.Errorf("%q", all)
	}
	r.clock.turn(guessWindow)
	if status, _ := b.login("anna", "a"); status != http.StatusSeeOther {
		t.Error(status)
	}
}

// A password that somebody else knows: the file goes first, and who has no role does not come in.
func TestElsewhere(t *testing.T) {
	asked := []string{}
	password := func(_ context.Context, login string, password []byte, _ netip.Addr) (string, bool, error) {
		asked = append(asked, login)
		if login == "away" {
			return "", false, errors.New("no answer")
		}
		return login, string(password) == "p", nil
	}
	rows := map[string]string{"bob": "user", "carol@example.org": "user", "hugo": "helpdesk:example.org", "anna": "admin", "odd": "king"}
	r := open(t, Options{Identity: Identity{
		Users: users(t, usersFile(t, line("anna", "a", "helpdesk"))), Password: password,
		Roles: &Roles{Role: table(rows), Addresses: table(map[string]string{"bob": "Bob@example.org, robert@example.org @bob.example"})},
	}})
	for i, c := range []struct {
		name, password string
		want           int
		says           string
	}{
		{"bob", "p", 303, "bob user &{[bob@example.org robert@example.org] [bob.example]}"},
		{"carol@example.org", "p", 303, "carol@example.org user &{[carol@example.org] []}"},
		{"hugo", "p", 303, "hugo helpdesk &{[] [example.org]}"},
		{"anna", "a", 303, "anna helpdesk <nil>"},
		{"anna", "p", 401, ""}, // whom the file knows nobody else is asked about
		{"bob", "x", 401, ""},
		{"dora", "p", 401, ""},
		{"odd", "p", 503, ""},
		{"away", "p", 503, ""},
		{"broken", "p", 503, ""},
	} {
		b := r.browser(fmt.Sprintf("127.0.2.%d", i+1))
		status, _ := b.login(c.name, c.password)
		_, says := b.get("/own")
		if status != c.want || c.says != "" && !strings.HasPrefix(says, c.says) {
			t.Errorf("%s: %d %q", c.name, status, says)
		}
	}
	if len(r.troubles) != 1 || !strings.Contains(r.troubles[0].Error(), `--console-roles: the value for odd: "king" is no role`) {
		t.Errorf("troubles: %v", r.troubles)
	}
	if slices.Contains(asked, "anna") {
		t.Errorf("asked about %q", asked)
	}
	b := r.browser("127.0.2.99")
	b.login("bob", "p")
	if status, _ := b.get("/own"); status != 200 {
		t.Fatal(status)
	}
	delete(rows, "bob")
	if status, _ := b.get("/own"); status != http.StatusSeeOther {
		t.Errorf("without his role he is shown %d", status)
	}
}

func TestUsersFile(t *testing.T) {
	hash := strings.TrimSuffix(line("x", "x", ""), ":\n")
	for _, c := range []struct{ name, fields, want string }{
		{"no role", "", "no role"},
		{"an empty role", ":", "no role"},
		{"no such role", ":king", `"king" is no role`},
		{"too many fields", ":admin:example.org:x", "too many colons"},
		{"an address of an admin", ":admin:bob@example.org", "not for single addresses"},
		{"neither domain nor address", ":user:bob@", "neither a domain nor an address"},
		{"an admin", ":admin", ""},
		{"in capitals", ":ADMIN:", ""},
		{"with domains", ":auditor:example.org,@example.net", ""},
		{"a user", ":user:bob@example.org,example.net", ""},
		{"a user without an address", ":user", "is no address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := OpenUsers(usersFile(t, hash+c.fields+"\n"), nil)
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "users:1: ")) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
