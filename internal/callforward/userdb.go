package callforward

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/dovecot"
)

// userdb is Dovecot's.
type userdb struct {
	path string
	db   *dovecot.Userdb

	mu    sync.Mutex
	known map[string]knownUser // by domain
}

// knownUser is somebody whom it has found a while ago. If it does not find him any more it may find
// nobody: started without its passwd-file Dovecot says NOTFOUND of all.
type knownUser struct {
	user string
	at   time.Time
}

const knownFor = 24 * time.Hour

func (s *Server) userdb(source string) error {
	t, err := parseTarget(source, "0")
	if err != nil || t.network != "unix" {
		if strings.Contains(source, "@") {
			source = "…" // perhaps user:password@host
		}
		return fmt.Errorf("want unix:/PATH, the path of Dovecot's socket auth-userdb, not %q", source)
	}
	s.turns = newTurns(0)
	s.peer = &userdb{path: t.path, db: dovecot.NewUserdb(t.path), known: map[string]knownUser{}}
	return nil
}

func (u *userdb) ask(ctx context.Context, to address.Address, _ bool) (finding, error) {
	user := to.Local + "@" + to.Domain
	found, err := u.find(ctx, user)
	if err != nil {
		return finding{}, err
	}
	if !found {
		// While its passwd-file cannot be read Dovecot says NOTFOUND once a second, and otherwise
		// goes by what it has read before.
		if found, err = u.find(ctx, user); err != nil {
			return finding{}, err
		}
	}
	if found {
		u.know(to.Domain, user)
		return finding{verdict: exists, said: "USER " + printable(user)}, nil
	}
	if err := u.findsAnybody(ctx, to.Domain); err != nil {
		return finding{}, err
	}
	return finding{verdict: missing, said: "NOTFOUND"}, nil
}

func (u *userdb) find(ctx context.Context, user string) (bool, error) {
	found, err := u.db.Exists(ctx, user)
	switch {
	case err == nil || errors.Is(err, dovecot.ErrFailed):
		return found, err
	case isTimeout(err):
		return false, errHung{inWords(err)}
	case errors.Is(err, dovecot.ErrAddress):
		return false, err
	}
	return false, errSilent{inWords(err)}
}

func (u *userdb) know(domain, user string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.known) >= mostDomains {
		clear(u.known)
	}
	u.known[domain] = knownUser{user, time.Now()}
}

// findsAnybody asks for somebody who was known.
func (u *userdb) findsAnybody(ctx context.Context, domain string) error {
	u.mu.Lock()
	one, ok := u.known[domain]
	u.mu.Unlock()
	if !ok || time.Since(one.at) > knownFor {
		return nil
	}
	found, err := u.find(ctx, one.user)
	if err == nil && !found {
		err = fmt.Errorf("it finds %s no more either, whom it knew at %s: its database may be gone", printable(one.user), one.at.UTC().Format(time.TimeOnly))
	}
	return err
}

// probe counts any answer but silence.
func (u *userdb) probe(ctx context.Context, domain string) error {
	_, err := u.find(ctx, "postmaster@"+domain)
	var hung errHung
	if isSilent(err) || errors.As(err, &hung) {
		return err
	}
	return nil
}

func (u *userdb) look(ctx context.Context) (string, error) {
	if err := u.probe(ctx, "invalid"); err != nil {
		return "", err
	}
	return "Dovecot's userdb answers", nil
}

func (u *userdb) close() { _ = u.db.Close() }
