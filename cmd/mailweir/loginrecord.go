package main

import (
	"errors"
	"regexp"
	"slices"
	"sync"
	"time"

	checkauth "mailweir/checks/auth"
	"mailweir/internal/policy"
)

// loginEvents take what mailweir auth has decided into the record of the milter. Everybody may talk
// to that process, and it might have been taken over: so nothing comes in but a decision about a
// login, and none in the place of another one.
type loginEvents struct {
	record *recording
	clock  func() time.Time

	mu  sync.Mutex
	ids []string // of the newest that have come, whose sums may follow
}

// maxLoginIDs is more than can begin to share an id within the minute after which their sum comes.
const maxLoginIDs = 10_000

var loginID = regexp.MustCompile(`^mw-[0-9a-z]{8}$`)

// errLoginEvent is about an event that is none of a login.
var errLoginEvent = errors.New("it is no decision about a login")

// Record keeps a decision, if anything is recorded.
func (l *loginEvents) Record(e *policy.Event) error {
	decided := slices.Contains([]policy.Action{policy.ActionRefused, policy.ActionDeferred, policy.ActionWould, policy.ActionError}, e.Action)
	if e.Check != checkauth.Check.Name || !decided || !loginID.MatchString(e.ID) || !l.known(e) {
		return errLoginEvent
	}
	if l.record == nil {
		return nil
	}
	at := e.Time.UTC()
	if now := l.clock().UTC(); at.After(now) || now.Sub(at) > 24*time.Hour {
		at = now
	}
	l.record.sink.Event(&policy.Event{
		Version: policy.EventVersion, ID: e.ID, Time: at, Host: e.Host, Check: e.Check, Mode: e.Mode, Stage: policy.StageAuth, AnsweredAt: policy.StageAuth,
		Action: e.Action, Reply: e.Reply, Row: e.Row, Line: e.Line, Cause: e.Cause, Err: e.Err,
		Session: e.Session, Client: policy.Unmapped(e.Client), Service: e.Service, Login: e.Login, Dedup: e.Dedup,
	})
	return nil
}

// known reports whether the event may come: a sum only after the first that it stands for.
func (l *loginEvents) known(e *policy.Event) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Dedup != nil {
		return slices.Contains(l.ids, e.ID)
	}
	if len(l.ids) >= maxLoginIDs {
		l.ids = slices.Delete(l.ids, 0, maxLoginIDs/2)
	}
	l.ids = append(l.ids, e.ID)
	return true
}
