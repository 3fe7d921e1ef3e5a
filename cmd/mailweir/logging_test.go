package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"mailweir/internal/events"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/internal/state"
)

// hostile is what a client may say where the log repeats it: line ends, a terminal's escapes, C1
// controls, octets that are no UTF-8, quotes, and a forged field.
const hostile = "x\r\nlevel=error msg=forged\n\x1b[31mred\x00\u009b1m\u2028\xff\xfe\" event=mw-FORGED \\"

func processFlags(t *testing.T, args ...string) *settings {
	t.Helper()
	root := newRoot("")
	cmd, rest, err := root.Find(append([]string{"check"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Fatal(err)
	}
	s, err := readSettings(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// logOf runs a refused recipient with hostile facts and returns the log.
func logOf(t *testing.T, args ...string) string {
	t.Helper()
	s := processFlags(t, append([]string{"--sender-block-list=static:REJECT", "--header-from-list=static:REJECT"}, args...)...)
	var out bytes.Buffer
	log, err := newLogger(s.daemon, &out)
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	p, err := s.draft.Build(&policy.Backends{Clock: clock, State: state.NewMemory(clock, 100), Connections: func() int { return 1 }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	recorder := events.NewRecorder(events.Options{Log: log, Metrics: events.NewMetrics("test"), Clock: clock})
	rn := runner.NewRunner(p, recorder, runner.DefaultLimits)
	session := rn.NewSession()
	session.Connect(policy.ConnectFacts{Client: netip.MustParseAddr("192.0.2.1"), Port: 25252, Name: hostile})
	session.Helo(policy.HeloFacts{Name: hostile})
	session.Mail(policy.MailFacts{Sender: `"` + hostile + `"@else.example`, Login: hostile, QueueID: hostile})
	session.Rcpt(policy.RcptFacts{Recipient: `"` + hostile + `"@ours.example`})
	session.Close()
	rn.Close()
	recorder.Close()
	return out.String()
}

// Whatever a client says, an event is one line, and what was said is a value in it.
func TestLogLines(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			text := logOf(t, "--log-format="+format)
			if !utf8.ValidString(text) {
				t.Errorf("not UTF-8: %q", text)
			}
			if n := strings.Count(text, "\n"); n == 0 || !strings.HasSuffix(text, "\n") {
				t.Fatalf("no line: %q", text)
			}
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				if at := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); at >= 0 {
					t.Errorf("what cannot be seen stands at %d of %q", at, line)
				}
				if format == "json" {
					var fields map[string]any
					if err := json.Unmarshal([]byte(line), &fields); err != nil || fields["msg"] == "forged" || !strings.HasPrefix(fields["event"].(string), "mw-") {
						t.Errorf("%v: %q", err, line)
					}
					continue
				}
				if !strings.HasPrefix(line, "time=") || strings.Contains(outsideQuotes(line), "FORGED") || strings.Contains(outsideQuotes(line), "forged") {
					t.Errorf("a client wrote outside of quotes: %q", line)
				}
			}
		})
	}
}

// outsideQuotes drops quoted values of logfmt.
func outsideQuotes(line string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case quoted && line[i] == '\\':
			i++
		case line[i] == '"':
			quoted = !quoted
		case !quoted:
			b.WriteByte(line[i])
		}
	}
	return b.String()
}

// Under the journal a line begins with its priority and has no time, which the journal keeps
// itself.
func TestJournal(t *testing.T) {
	stream, err := os.Create(filepath.Join(t.TempDir(), "stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(stream.Fd()), &stat); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, value string
		journal     bool
	}{
		{"no journal", "", false},
		{"the journal", fmt.Sprintf("%d:%d", stat.Dev, stat.Ino), true},
		{"another file's", fmt.Sprintf("%d:%d", stat.Dev, stat.Ino+1), false},
		{"nonsense", "8", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("JOURNAL_STREAM", c.value)
			if err := stream.Truncate(0); err != nil {
				t.Fatal(err)
			}
			log, err := newLogger(processFlags(t, "--log-level=debug").daemon, stream)
			if err != nil {
				t.Fatal(err)
			}
			log.Error("e")
			log.Warn("w")
			log.Info("i")
			log.Debug("d")
			text, err := os.ReadFile(stream.Name())
			if err != nil {
				t.Fatal(err)
			}
			got := strings.TrimLeft(string(text), "\x00") // what Truncate left in front
			want := "<3>level=error msg=e\n<4>level=warning msg=w\n<6>level=info msg=i\n<7>level=debug msg=d\n"
			if c.journal && got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if !c.journal && !strings.HasPrefix(got, "time=") {
				t.Errorf("%q has no time", got)
			}
		})
	}
}
