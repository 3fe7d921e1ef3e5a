package auth

import (
	"context"

	"golang.org/x/sync/semaphore"

	"mailweir/internal/passwords"
)

// File answers by a password file. Only mechanisms that show the password can be answered by its
// hash.
type File struct {
	passwords *passwords.File
	parallel  int64
	turns     *semaphore.Weighted
}

// guessMemory is what one guess may take of memory. A dearer one takes the turns of several.
const guessMemory = 256 << 20

// NewFile returns a judge by a password file, which looks at so many guesses at once.
func NewFile(file *passwords.File, parallel int) *File {
	return &File{passwords: file, parallel: int64(parallel), turns: semaphore.NewWeighted(int64(parallel))}
}

// Mechanisms are PLAIN and LOGIN.
func (f *File) Mechanisms() []Mechanism {
	return []Mechanism{{"PLAIN", []string{"plaintext"}}, {"LOGIN", []string{"plaintext"}}}
}

// Begin returns the exchanges of one smtpd.
func (f *File) Begin() Exchanges { return fileExchanges{f} }

// Close has nothing to end.
func (f *File) Close() {}

type fileExchanges struct{ file *File }

// Close has nothing to end.
func (fileExchanges) Close() {}

// The prompts of LOGIN, "Username:" and "Password:", which some clients insist on.
const (
	promptLogin    = "VXNlcm5hbWU6"
	promptPassword = "UGFzc3dvcmQ6"
)

// Start answers the initial response, or asks for the first.
func (f fileExchanges) Start(ctx context.Context, r *request, seen *glance) (answer, error) {
	switch {
	case r.hasResponse:
		return f.Continue(ctx, r.response, seen)
	case r.mechanism == "LOGIN":
		return answer{kind: challenged, challenge: promptLogin}, nil
	}
	return answer{kind: challenged}, nil
}

// Continue asks for the password, or looks at it.
func (f fileExchanges) Continue(ctx context.Context, _ []byte, seen *glance) (answer, error) {
	switch {
	case seen.malformed:
		return isWrong("malformed response"), nil
	case !seen.done:
		return answer{kind: challenged, challenge: promptPassword}, nil
	}
	return f.file.look(ctx, seen)
}

// look does the work of a guess, whether or not the login exists.
func (f *File) look(ctx context.Context, seen *glance) (answer, error) {
	entry := f.passwords.Find(seen.login)
	weight := min(f.parallel, int64(entry.Memory()+guessMemory-1)/guessMemory)
	if deadline, ok := ctx.Deadline(); ok { // what begins later comes too late
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-entry.Effort()))
		defer cancel()
	}
	if f.turns.Acquire(ctx, weight) != nil {
		return answer{}, errBusy
	}
	matches := entry.Matches(seen.password)
	f.turns.Release(weight)
	switch as, _ := passwords.Login(seen.authorize); {
	case !entry.Known():
		return isWrong("no such login"), nil
	case !matches:
		return isWrong("wrong password"), nil
	case seen.authorize != "" && as != seen.name():
		return isWrong("the password is right, but the client wants to act for another login"), nil
	}
	return answer{kind: right, user: seen.name()}, nil
}
