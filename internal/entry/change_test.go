package entry

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"mailweir/internal/policy"
)

// subject is about something that stands as it says.
type subject struct {
	wrong, away error
	before      string
}

func (s subject) Validate() error                                      { return s.wrong }
func (subject) String() string                                         { return "it" }
func (s subject) Before(context.Context, *policy.Call) (string, error) { return s.before, s.away }

// TestChange: what is wrong is not done, and the audit hears only of what was done.
func TestChange(t *testing.T) {
	wrong, away, absent := policy.Wrongf("wrong"), errors.New("unavailable"), policy.Wrongf("nothing to delete")
	for _, tt := range []struct {
		name    string
		subject subject
		remove  bool
		was     bool  // what removing says
		fails   error // what doing says
		want    error
		done    bool
		audit   []policy.Alteration
	}{
		{name: "enter", done: true, audit: []policy.Alteration{{What: "it", After: "blocked for 1h"}}},
		{name: "enter again", subject: subject{before: "blocked"}, done: true, audit: []policy.Alteration{{What: "it", Before: "blocked", After: "blocked for 1h"}}},
		{name: "enter what is wrong", subject: subject{wrong: wrong}, want: wrong},
		{name: "enter where nobody knows what was", subject: subject{away: away}, want: away},
		{name: "enter fails", fails: away, done: true, want: away},
		{name: "remove", subject: subject{before: "blocked"}, remove: true, was: true, done: true, audit: []policy.Alteration{{What: "it", Before: "blocked"}}},
		{name: "remove what is not there", remove: true, done: true, want: absent},
		{name: "remove what is wrong", subject: subject{wrong: wrong}, remove: true, want: wrong},
		{name: "remove where nobody knows what was", subject: subject{away: away}, remove: true, want: away},
		{name: "remove fails", remove: true, fails: away, done: true, want: away},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &policy.Call{For: time.Hour}
			done := false
			var err error
			if tt.remove {
				_, err = Remove(t.Context(), c, tt.subject, absent, func() (bool, error) { done = true; return tt.was, tt.fails })
			} else {
				_, err = Enter(t.Context(), c, tt.subject, "blocked", func() error { done = true; return tt.fails })
			}
			if !errors.Is(err, tt.want) || done != tt.done || !slices.Equal(c.Alterations(), tt.audit) {
				t.Errorf("%v, done %v, audit %+v, want %v, %v, %+v", err, done, c.Alterations(), tt.want, tt.done, tt.audit)
			}
		})
	}
}
