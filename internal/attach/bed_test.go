package attach

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/mta"
	"mailweir/test/testbed"
)

// bed is a private Postfix that runs, a mailweir that listens where its smtpd can reach it, and a
// host of init for both.
type bed struct {
	*Host
	t        *testing.T
	etc      string // of Postfix
	port     string
	said     *strings.Builder
	mailweir *testbed.Mailweir
}

// newBed starts them. master is the end of the MX's line in master.cf: columns from chroot on, and
// options.
func newBed(t *testing.T, main, master string) *bed {
	t.Helper()
	testbed.Require(t, "postfix")
	dir := testbed.TempDir(t)
	readable(t, dir)
	mx := testbed.FreeAddress(t)
	b := &bed{t: t, etc: filepath.Join(dir, "etc"), port: testbed.Port(mx), said: &strings.Builder{}}
	const socket = "queue/mailweir/mailweir.sock"
	for _, name := range []string{"etc", "data", "queue", "queue/mailweir"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	owner(t, filepath.Join(dir, "data"))
	group(t, filepath.Join(dir, "queue/mailweir"))
	put(t, filepath.Join(b.etc, "main.cf"), fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
inet_interfaces = 127.0.0.1
myhostname = mx.test.example
mydestination = test.example
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
smtpd_peername_lookup = no
# what others have set
%[2]s`, dir, main))
	put(t, filepath.Join(b.etc, "master.cf"), fmt.Sprintf(`# the MX
%s inet n - %s
# others
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
local unix - n n - - local
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
`, mx, master))
	b.Host = testHost(t, dir, b.said)
	b.Listen = []string{"unix:" + filepath.Join(dir, socket)}
	b.mailweir = testbed.StartMailweir(t, testbed.MailweirConfig{
		Binary: testbed.BuildMailweir(t), Socket: filepath.Join(dir, socket),
	})
	b.Asked = func(context.Context) (uint64, error) {
		n, err := b.mailweir.Metric(`mailweir_stage_duration_seconds_count{stage="rcpt"}`)
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, b.mailweir.Log)
		}
		return uint64(n), err
	}
	b.postfix("start")
	t.Cleanup(func() { _ = exec.Command("postfix", "-c", b.etc, "stop").Run() })
	if _, err := b.await(t.Context(), b.probe()); err != nil {
		t.Fatalf("%v\n%s", err, b.log())
	}
	return b
}

func owner(t *testing.T, name string) {
	own(t, name, func(a mta.Account) (int, int) { return a.UID, 0 })
}

// group makes what is created in a directory reachable for Postfix.
func group(t *testing.T, name string) {
	own(t, name, func(a mta.Account) (int, int) { return 0, a.GID })
	if err := os.Chmod(name, 0o750|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
}

func own(t *testing.T, name string, ids func(mta.Account) (uid, gid int)) {
	t.Helper()
	a, err := mta.LookupAccount("postfix")
	if err != nil {
		t.Fatal(err)
	}
	uid, gid := ids(a)
	if err := os.Chown(name, uid, gid); err != nil {
		t.Fatal(err)
	}
}

func (b *bed) probe() mta.Probe {
	return mta.Probe{Address: "127.0.0.1:" + b.port, Helo: "test.example"}
}

func (b *bed) log() string {
	text, _ := os.ReadFile(filepath.Join(filepath.Dir(b.etc), "log"))
	return string(text)
}

func (b *bed) postfix(command string) {
	b.t.Helper()
	if out, err := exec.Command("postfix", "-c", b.etc, command).CombinedOutput(); err != nil {
		b.t.Fatalf("postfix %s: %v\n%s\n%s", command, err, out, b.log())
	}
}

// read is a file of Postfix's.
func (b *bed) read(name string) string {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.etc, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(data)
}

// set edits main.cf as an administrator would.
func (b *bed) set(parameter string) {
	b.t.Helper()
	if out, err := exec.Command("postconf", "-c", b.etc, "-e", parameter).CombinedOutput(); err != nil {
		b.t.Fatalf("%v\n%s", err, out)
	}
}

func (b *bed) value(parameter string) string {
	b.t.Helper()
	out, err := exec.Command("postconf", "-c", b.etc, "-h", parameter).Output()
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// init runs it and returns what it showed.
func (b *bed) init() (string, error) {
	b.said.Reset()
	var out bytes.Buffer
	err := b.Init(b.t.Context(), Choice{PostfixDir: b.etc}, &out, func() (bool, error) { return true, nil })
	return out.String() + b.said.String(), err
}

func (b *bed) mustInit() string {
	b.t.Helper()
	out, err := b.init()
	if err != nil {
		b.t.Fatalf("%v\n%s\n%s", err, out, b.log())
	}
	return out
}

func (b *bed) undo() string {
	b.t.Helper()
	b.said.Reset()
	if err := b.Undo(b.t.Context()); err != nil {
		b.t.Fatalf("%v\n%s\n%s", err, b.said, b.log())
	}
	return b.said.String()
}

// answers sees that port 25 does, and whether mailweir is asked: by the second client at the
// latest, for whoever waited for the first one still has the old configuration.
func (b *bed) answers(asked bool) {
	b.t.Helper()
	var before, now uint64
	for range 2 {
		var err error
		if before, err = b.Asked(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
		if _, err := b.probe().Run(b.t.Context()); err != nil {
			b.t.Fatalf("%v\n%s", err, b.log())
		}
		if now, err = b.Asked(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
	if (now > before) != asked {
		b.t.Errorf("mailweir was asked %d times, before %d", now, before)
	}
}
