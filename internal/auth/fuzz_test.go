package auth

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
)

// silentRecorder keeps nothing.
type silentRecorder struct{}

func (silentRecorder) Identify(*policy.Event) string { return "mw-1" }
func (silentRecorder) Record(*policy.Event)          {}

// yes accepts every password that is "secret".
type yes struct{}

func (yes) Mechanisms() []Mechanism { return []Mechanism{{"PLAIN", nil}, {"LOGIN", nil}} }
func (y yes) Begin() Exchanges      { return y }
func (yes) Close()                  {}

func (y yes) Start(ctx context.Context, r *request, seen *glance) (answer, error) {
	if !r.hasResponse {
		return answer{kind: challenged}, nil
	}
	return y.Continue(ctx, r.response, seen)
}

func (yes) Continue(_ context.Context, _ []byte, seen *glance) (answer, error) {
	if string(seen.password) == "secret" {
		return answer{kind: right, user: "bob"}, nil
	}
	return isWrong("wrong password"), nil
}

// Whatever smtpd sends, the server does not panic, answers in lines, and says OK only of the right
// password.
func FuzzSession(f *testing.F) {
	f.Add([]byte("VERSION\t1\t0\nCPID\t1\nAUTH\t1\tPLAIN\tservice=smtp\trip=192.0.2.1\tresp=" + plainBob + "\n"))
	f.Add([]byte("AUTH\t1\tLOGIN\nCONT\t1\tYm9i\nCONT\t1\tc2VjcmV0\nAUTH\t2\tPLAIN\tresp==\n"))
	f.Add([]byte("AUTH\t1\tSCRAM-SHA-1\tresp=biwsbj1ib2I=\nCONT\t\t\n\x00\n"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		s := NewServer(Options{
			Judge: yes{}, Mode: policy.Enforce, Check: "auth", Reason: "no", Recorder: silentRecorder{}, Clock: time.Now, Streams: 1,
			Wrong: &policy.Reply{ID: "wrong", Code: 535, Enhanced: "5.7.8"}, Unavailable: &policy.Reply{ID: "away", Code: 454, Enhanced: "4.7.0"},
			Defect: func(stack []byte) { t.Errorf("panic\n%s", stack) },
		})
		ours, theirs := net.Pipe()
		go s.begin(theirs)
		go func() {
			_, _ = ours.Write(sent) // it may be closed before the end
			_, _ = ours.Write([]byte("\nVERSION\t9\t9\n"))
		}()
		said, _ := io.ReadAll(ours)
		_ = ours.Close()
		s.Shutdown(context.Background())
		_, answers, found := strings.Cut(string(said), "DONE\n")
		if !found {
			t.Fatalf("no handshake: %q", said)
		}
		for line := range strings.Lines(answers) {
			word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			if word != "OK" && word != "FAIL" && word != "CONT" {
				t.Errorf("said %q", line)
			}
		}
	})
}

// Whatever a Dovecot says, only an OK with a user is one.
func FuzzUpstream(f *testing.F) {
	f.Add([]byte("OK\t1\tuser=bob\n"))
	f.Add([]byte("CONT\t1\tAAAA\nFAIL\t1\n"))
	f.Add([]byte("OK\t1\tuser=nologin\n"))
	f.Add([]byte("OK\t1\tuser=bob\tnologin\nOK\t2\n\x01\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		ours, theirs := net.Pipe()
		go func() {
			buffer := make([]byte, 100)
			_, _ = theirs.Read(buffer)
			_, _ = theirs.Write(said)
			_ = theirs.Close()
		}()
		s := &stream{conn: ours, in: newLines(ours)}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		a, err := s.ask(ctx, "1", []byte("AUTH\t1\tPLAIN\n"))
		_ = ours.Close()
		if err == nil && a.kind == right && (a.user == "" || strings.ContainsAny(a.user, "\t\r\n\x00") || slices.Contains(answerTo("1", said), "nologin")) {
			t.Errorf("%q is a login of %q", said, a.user)
		}
	})
}

// answerTo returns the fields of the first answer with that id.
func answerTo(id string, said []byte) []string {
	for line := range strings.Lines(string(said)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) > 1 && fields[1] == id && slices.Contains([]string{"OK", "FAIL", "CONT"}, fields[0]) {
			return fields
		}
	}
	return nil
}

// Whatever a client's responses are, what they show of the login has no password in it.
func FuzzGlance(f *testing.F) {
	f.Add("PLAIN", plainBob, "")
	f.Add("LOGIN", "Ym9i", "c2VjcmV0")
	f.Add("SCRAM-SHA-1", "biwsbj1ib2Iscj14", "")
	f.Fuzz(func(t *testing.T, mechanism, one, other string) {
		g := glance{mechanism: mechanism}
		g.see([]byte(one))
		g.see([]byte(other))
		if name := g.name(); strings.ContainsAny(name, "\x00\x01 \t\r\n:") || len(name) > 255 {
			t.Errorf("the login %q", name)
		}
		password := g.password
		g.wipe()
		if strings.Trim(string(password), "\x00") != "" {
			t.Error("the password stays")
		}
	})
}
