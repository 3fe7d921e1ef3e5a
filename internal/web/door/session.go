package door

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"sync"
	"time"
)

// How long a login lasts: in all, and without anything being asked for.
const (
	sessionFor = 8 * time.Hour
	idleFor    = 30 * time.Minute
)

// maxSessions bounds what is kept. Whoever has been away for longest is logged out first.
const maxSessions = 10_000

// sessions are those who have logged in. They are in memory alone: a restart logs everybody out.
// Only the hash of what a browser shows is kept, so nothing here lets anybody in.
type sessions struct {
	clock func() time.Time
	mu    sync.Mutex
	open  map[[sha256.Size]byte]*session
}

// session is one login.
type session struct {
	account   account
	began     time.Time
	lastAsked time.Time
}

func newSessions(clock func() time.Time) *sessions {
	return &sessions{clock: clock, open: map[[sha256.Size]byte]*session{}}
}

// begin opens a session and returns the token that the browser shows from now on.
func (s *sessions) begin(a account) string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // it never fails
	token := base64.RawURLEncoding.EncodeToString(random)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	s.makeRoom(now)
	s.open[sha256.Sum256([]byte(token))] = &session{account: a, began: now, lastAsked: now}
	return token
}

// makeRoom drops what has ended, and if that is not enough, who has been away for longest.
func (s *sessions) makeRoom(now time.Time) {
	if len(s.open) < maxSessions {
		return
	}
	var oldest [sha256.Size]byte
	var found *session
	for key, each := range s.open {
		if each.ended(now) {
			delete(s.open, key)
		} else if found == nil || each.lastAsked.Before(found.lastAsked) {
			oldest, found = key, each
		}
	}
	if len(s.open) >= maxSessions {
		delete(s.open, oldest)
	}
}

func (s *session) ended(now time.Time) bool {
	return now.Sub(s.began) >= sessionFor || now.Sub(s.lastAsked) >= idleFor
}

// find returns the session of a token. used says that the visitor asks for something, which keeps
// his session for longer.
func (s *sessions) find(token string, used bool) (*session, bool) {
	key := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[key]
	if !ok {
		return nil, false
	}
	now := s.clock()
	if found.ended(now) {
		delete(s.open, key)
		return nil, false
	}
	if used {
		found.lastAsked = now
	}
	return found, true
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, sha256.Sum256([]byte(token)))
}

// Names of the cookie. A browser takes one that begins with __Host- over TLS only, and only from
// the very host (RFC 6265bis section 4.1.3.2).
const (
	secureCookie = "__Host-mailweir"
	plainCookie  = "mailweir"
)

func cookieName(secure bool) string {
	if secure {
		return secureCookie
	}
	return plainCookie
}

// setCookie hands a token over; "" takes it back.
func setCookie(w http.ResponseWriter, token string, secure bool) {
	c := &http.Cookie{Name: cookieName(secure), Value: token, Path: "/", HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// tokenOf is what the browser shows. Of several cookies of the name none counts: another host of
// the same domain may have planted one.
func tokenOf(r *http.Request, secure bool) string {
	cookies := r.CookiesNamed(cookieName(secure))
	if len(cookies) != 1 {
		return ""
	}
	return cookies[0].Value
}
