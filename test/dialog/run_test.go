package dialog

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// stub builds the filter that stands in for mailweir.
func stub(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("testdata/stub")
	if err != nil {
		t.Fatal(err)
	}
	return testbed.BuildGo(t, dir)
}

// The runner is held against a stub, so that it is known to work when a dialog
// with mailweir fails.
func TestRunAgainstStub(t *testing.T) {
	runner := NewRunner(t, stub(t))
	runner.Unrecorded = true
	scripts, err := LoadAll("testdata/dialogs")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		t.Run(script.Name()+"/"+script.MTA, func(t *testing.T) {
			t.Parallel()
			runner.Run(t, script)
		})
	}
}

// observed is a test that keeps what is reported instead of failing.
type observed struct {
	testbed.TB
	errors []string
}

func (o *observed) Errorf(format string, args ...any) {
	o.errors = append(o.errors, fmt.Sprintf(format, args...))
}

// A dialog that is not as written must fail, and say where.
func TestRunFails(t *testing.T) {
	const opening = "-- dialog --\nS: 220 ...\nC: EHLO client.example\nS: 250 ...\n"
	const message = opening + "C: MAIL FROM:<a@example.net>\nS: 250 ...\nC: RCPT TO:<b@example.org>\nS: 250 ...\n" +
		"C: DATA\nS: 354 ...\n|Subject: x\n|\n|x\nC: .\nS: 250 ...\n"
	const refused = opening + "C: MAIL FROM:<a@example.net>\nS: 250 ...\nC: RCPT TO:<blocked@example.org>\n" +
		"S: 550 5.7.1 Administrative prohibition - envelope blocked [ID]\n"
	tests := []struct{ name, text, want string }{
		{"another code", opening + "C: NOOP\nS: 451 ...\n", "x.txt:1: line 6: NOOP\ngot  \"250 "},
		{"another text", opening + "C: NOOP\nS: 250 2.0.0 Okay\n", "want \"250 2.0.0 Okay\""},
		{"not closed", opening + "C: NOOP\nS: closed\n", "should be closed"},
		{"sink not empty", message + "-- sink --\n", "not expected: <a@example.net>"},
		{"other recipient", message + "-- sink --\na@example.net -> c@example.org\n", "did not arrive so"},
		{"line missing", message + "-- sink --\na@example.net -> b@example.org\n  Subject: y\n", "did not arrive so"},
		{"line unwanted", message + "-- sink --\na@example.net -> b@example.org\n  ! Subject: x\n", "did not arrive so"},
		{"nothing refused", message + "-- event --\ncheck=hops\n", "no reply had a [ID]"},
		{"nothing quarantined", opening + "-- quarantined --\n", "no message has been accepted"},
		{"event of another check", refused + "-- event --\ncheck=hops\n", "check=\"sender-block\""},
		{"log line excluded", refused + "-- no-log --\nmsg=refused\n", "the log has"},
	}
	runner := NewRunner(t, stub(t))
	runner.Unrecorded = true
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			script, err := Parse("x.txt", test.text, "postfix")
			if err != nil {
				t.Fatal(err)
			}
			watched := &observed{TB: t}
			runner.Run(watched, script)
			if got := strings.Join(watched.errors, "\n"); !strings.Contains(got, test.want) {
				t.Errorf("reported %q\nwant %q", got, test.want)
			}
		})
	}
}
