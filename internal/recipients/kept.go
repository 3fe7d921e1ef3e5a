package recipients

import (
	"context"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/state"
)

// The spaces of the state: answers, recipients|example.org|bob|smtp:next.example, and when
// something of a domain was forgotten last, recipients-forgotten|example.org.
const (
	space          = "recipients"
	forgottenSpace = "recipients-forgotten"
)

func (k key) in(to address.Address) string { return state.Key(space, to.Domain, to.Local, k.source) }

// kept returns the answer in the state.
func (a *Answers) kept(ctx context.Context, k key, to address.Address) (Answer, bool, error) {
	value, found, err := a.store.Get(ctx, k.in(to))
	if err != nil || !found {
		return Answer{}, false, err
	}
	answer, ok := read(value)
	return answer, ok, nil
}

// Kept returns the answer of a source about an address that is in the state, however old.
func (a *Answers) Kept(ctx context.Context, source string, to address.Address) (Answer, bool, error) {
	return a.kept(ctx, key{source, to.Key()}, to)
}

// forgotten tells when something of the address's domain was forgotten last, in a form that only
// serves to be compared.
func (a *Answers) forgotten(ctx context.Context, to address.Address) string {
	value, _, _ := a.store.Get(ctx, state.Key(forgottenSpace, to.Domain)) // an error keeps nobody from asking
	return string(value)
}

// keep puts an answer into the state. Where something of the domain has been forgotten while the
// server was asked, nothing is kept, and keep reports false: a person may have mended just what the
// answer is about. An answer that cannot be written counts here all the same.
func (a *Answers) keep(ctx context.Context, k key, to address.Address, answer Answer, before string) bool {
	life := NoFor
	if answer.Exists {
		life = StaleFor
	}
	forgotten := state.Get(state.Key(forgottenSpace, to.Domain))
	if done, err := a.store.Do(ctx, forgotten); err == nil && string(done[0].Value) != before {
		return false
	}
	// Who forgets notes it first and deletes then, so that one of the two sees the other.
	done, err := a.store.Do(ctx, state.Put(k.in(to), answer.value(), life), forgotten)
	if err != nil || string(done[1].Value) == before {
		return true
	}
	_, _ = a.store.Do(ctx, state.Delete(k.in(to))) // else it ends by itself
	return false
}

// value is what stands in the state: yes or no, when it was asked in Unix milliseconds, and what
// was said.
func (a Answer) value() []byte {
	word := "no "
	if a.Exists {
		word = "yes "
	}
	return append(strconv.AppendInt([]byte(word), a.At.UnixMilli(), 10), " "+a.Said...)
}

func read(value []byte) (a Answer, ok bool) {
	word, rest, _ := strings.Cut(string(value), " ")
	at, said, _ := strings.Cut(rest, " ")
	ms, err := strconv.ParseInt(at, 10, 64)
	if err != nil || word != "yes" && word != "no" {
		return Answer{}, false
	}
	return Answer{Exists: word == "yes", At: time.UnixMilli(ms), Said: said}, true
}

// mostSaid bounds what is kept of a server's words.
const mostSaid = 200

// clean makes a server's words fit for a log: printable ASCII in one line.
func clean(said string) string {
	said = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, said)
	said = strings.Join(strings.Fields(said), " ")
	if len(said) > mostSaid {
		said = said[:mostSaid]
	}
	return said
}
