package auth

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/passwords"
	"mailweir/internal/policy"
)

// b64 is what a response looks like on the wire.
func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// rig is a server, and what it has recorded, asked and told.
type rig struct {
	t *testing.T
	*Server

	mu     sync.Mutex
	events []string // ACTION CODE LOGIN CAUSE ERROR
	asked  []string // CLIENT LOGIN
	told   []string // CLIENT LOGIN OUTCOME
	block  func(policy.Login) (bool, string, error)
}

// play runs a test in a bubble, where no time passes but that which everybody waits for.
func play(t *testing.T, judge func(*rig) Judge, test func(*rig), change ...func(*Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t}
		o := Options{
			Judge: judge(r), Milter: r, Mode: policy.Enforce, Check: "auth", Reason: "Incorrect authentication data", Recorder: r, Clock: time.Now, Streams: 100,
			Wrong:       &policy.Reply{ID: "wrong", Code: 535, Enhanced: "5.7.8", Text: "wrong", Offence: policy.OffenceAuthFail},
			Unavailable: &policy.Reply{ID: "away", Code: 454, Enhanced: "4.7.0", Text: "away"},
			Defect:      func(stack []byte) { t.Errorf("panic\n%s", stack) },
		}
		for _, f := range change {
			f(&o)
		}
		r.Server = NewServer(o)
		test(r)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		r.Shutdown(ctx)
		o.Judge.Close()
	})
}

func (r *rig) Identify(*policy.Event) string { return "mw-1" }

func (r *rig) Record(e *policy.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, strings.TrimSpace(fmt.Sprint(e.Action, " ", e.Line.Code(), " ", e.Login, " ", e.Cause, " ", e.Err)))
}

func (r *rig) Ask(_ context.Context, l policy.Login) (bool, string, error) {
	r.mu.Lock()
	block := r.block
	r.asked = append(r.asked, l.Client.String()+" "+l.Name)
	r.mu.Unlock()
	if block == nil {
		return false, "", nil
	}
	return block(l)
}

func (r *rig) Tell(ctx context.Context, l policy.Login, o policy.LoginOutcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, limited := ctx.Deadline(); ctx.Err() != nil || !limited {
		r.t.Errorf("told within a context of which %v is left", ctx)
	}
	outcome := "failed"
	switch {
	case o.Succeeded:
		outcome = "succeeded"
	case o.Again:
		outcome = "again"
	}
	r.told = append(r.told, l.Client.String()+" "+l.Name+" "+outcome)
}

// taken returns what has been noted under a name and forgets it.
func (r *rig) taken(list *[]string) string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	text := strings.Join(*list, "\n")
	*list = nil
	return text
}

func (r *rig) want(what string, list *[]string, want ...string) {
	r.t.Helper()
	if got := r.taken(list); got != strings.Join(want, "\n") {
		r.t.Errorf("%s:\n%s\nwant\n%s", what, got, strings.Join(want, "\n"))
	}
}

// smtpd is one that is connected.
type smtpd struct {
	rig  *rig
	conn net.Conn
	in   *bufio.Reader
	ids  int
}

// connect begins as Postfix does, and reads the handshake.
func (r *rig) connect() (*smtpd, string) {
	r.t.Helper()
	ours, theirs := net.Pipe()
	r.t.Cleanup(func() { _ = ours.Close() })
	go r.begin(theirs)
	p := &smtpd{rig: r, conn: ours, in: bufio.NewReader(ours)}
	var greeting strings.Builder
	for line := ""; line != "DONE"; {
		if line = p.hear(); line == closed {
			r.t.Fatalf("closed within the handshake:\n%s", greeting.String())
		}
		greeting.WriteString(line + "\n")
	}
	p.send("VERSION\t1\t0\nCPID\t4711")
	return p, greeting.String()
}

// closed stands for the end of the stream.
const closed = "(closed)"

func (p *smtpd) send(text string) {
	_, _ = p.conn.Write([]byte(text + "\n")) // what comes of it, hear tells
}

// hear reads one line.
func (p *smtpd) hear() string {
	line, err := p.in.ReadString('\n')
	if err != nil {
		return closed
	}
	return strings.TrimSuffix(line, "\n")
}

// ask sends AUTH under the next number, from a client, and returns the answer. <ID> stands for the
// number in it.
func (p *smtpd) ask(mechanism, response string) string {
	return p.askFrom("192.0.2.1", mechanism, response)
}

func (p *smtpd) askFrom(client, mechanism, response string) string {
	p.ids++
	line := fmt.Sprintf("AUTH\t%d\t%s\tservice=smtp\tnologin\tlip=203.0.113.5\trip=%s\tsecured", p.ids, mechanism, client)
	if response != "" {
		line += "\tresp=" + strings.TrimPrefix(response, "(empty)")
	}
	p.send(line)
	return p.answer()
}

// proceed sends CONT.
func (p *smtpd) proceed(response string) string {
	p.send(fmt.Sprintf("CONT\t%d\t%s", p.ids, response))
	return p.answer()
}

func (p *smtpd) answer() string {
	return strings.Replace(strings.ReplaceAll(p.hear(), "\t", " "), fmt.Sprint(" ", p.ids), " <ID>", 1)
}

// said fails the test unless that is what was said.
func (p *smtpd) said(what, got, want string) {
	p.rig.t.Helper()
	if got != want {
		p.rig.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// What smtpd hears most.
const (
	noBob   = "FAIL <ID> user=bob reason=Incorrect authentication data"
	okBob   = "OK <ID> user=bob"
	noOne   = "FAIL <ID> reason=Incorrect authentication data"
	noCarol = "FAIL <ID> user=carol reason=Incorrect authentication data"
)

// cheap is a password file that knows bob, whose password is "secret"; a guess costs nothing.
const cheap = "bob:{BLF-CRYPT}$2y$04$rHBYjzD8jWSj/qGZEKJ2Xu6trPGLQxadmtgLI7yQX8Jygvog.Rjti\n"

func cheapFile(t *testing.T) *passwords.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(path, []byte(cheap), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := passwords.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func byFile(r *rig) Judge { return NewFile(cheapFile(r.t), 4) }

var errAway = errors.New("away")
