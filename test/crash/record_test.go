package crash

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/test/testbed"
)

// recorded is what the record had when the last mailweir was about to be killed.
type recorded struct{ entries int64 }

// flush has mailweir write what it has taken.
func flush(t *testing.T, control string) {
	t.Helper()
	client := admin.NewClient(control)
	defer client.Close()
	if err := client.Ask(t.Context(), "record/flush", policy.Nothing{}, &policy.Nothing{}); err != nil {
		t.Fatal(err)
	}
}

// extent is what is in the record of a state directory.
func extent(t *testing.T, dir string) record.Extent {
	t.Helper()
	store, err := files.OpenReadOnly(dir, files.Options{Warn: func(text string) { t.Error(text) }})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	x, err := store.Extent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// keep notes what the record has for certain.
func (r *recorded) keep(b *bed) {
	b.t.Helper()
	flush(b.t, b.entries.path)
	r.entries = extent(b.t, filepath.Join(b.state, "record")).Entries
}

// measure looks whether all of that is still there.
func (r *recorded) measure(b *bed) {
	b.t.Helper()
	if got := extent(b.t, filepath.Join(b.state, "record")).Entries; got < r.entries {
		b.t.Errorf("the record has %d entries; it had %d before the kill", got, r.entries)
	}
}

// settle looks through the files once more: each is whole, and was never set aside.
func (r *recorded) settle(b *bed) {
	b.t.Helper()
	names, err := filepath.Glob(filepath.Join(b.state, "record", "*.sqlite*"))
	if err != nil || len(names) == 0 || r.entries == 0 {
		b.t.Fatalf("the record is %q, %v, with %d entries", names, err, r.entries)
	}
	for _, name := range names {
		if filepath.Ext(name) != ".sqlite" {
			b.t.Errorf("%s is left over", name)
			continue
		}
		db, err := sql.Open("sqlite", "file:"+name+"?mode=ro")
		if err != nil {
			b.t.Fatal(err)
		}
		var found string
		if err := db.QueryRowContext(b.t.Context(), "PRAGMA quick_check").Scan(&found); err != nil || found != "ok" {
			b.t.Errorf("%s: %s, %v", name, found, err)
		}
		_ = db.Close()
	}
}

// smallDisk is a file system of 8 MiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := testbed.TempDir(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8m,mode=0755"); err != nil {
		testbed.Missing(t, fmt.Sprintf("a tmpfs cannot be mounted: %v", err))
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// stuff fills a disk up to its last octet, and returns what is in the way.
func stuff(t *testing.T, dir string) (ballast string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, unix.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return f.Name()
}

// TestRecordOnAFullDisk: all mail is answered, what is lost is counted and said in one line, and
// the record resumes once there is room.
func TestRecordOnAFullDisk(t *testing.T) {
	testbed.Require(t, "postfix")
	for _, c := range []struct {
		name  string
		flags func(disk string) []string
	}{
		{"of its own", func(disk string) []string { return []string{"--state=memory:", "--record=file:" + disk + "/record"} }},
		{"with the state", func(disk string) []string { return []string{"--state=file:" + disk} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk, control := smallDisk(t), filepath.Join(testbed.TempDir(t), "control")
			mta := testbed.StartMTA(t, "postfix", testbed.MTAConfig{})
			m := testbed.StartMailweir(t, testbed.MailweirConfig{
				Binary: testbed.BuildMailweir(t), Socket: mta.Milter,
				Flags: append(c.flags(disk), mta.Services(), "--local-domains=inline:{example.org=local}", "--control=unix:"+control, "--greylist=monitor"),
			})
			ballast := stuff(t, disk)
			if answered := transactions(t, mta.MX, 200); answered != 200 {
				t.Errorf("%d of 200 are answered", answered)
			}
			flush(t, control)
			wantMetric(t, m, `mailweir_record_dropped_total{kind="decision"}`, 100) // the others share the id of one of these
			wantMetric(t, m, `mailweir_record_dropped_total{kind="message"}`, 199)  // the last one is under way
			wantLines(t, m, "the record loses entries", 1)

			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			transactions(t, mta.MX, 5)
			flush(t, control)
			wantLines(t, m, "the record loses entries", 1)
			wantLines(t, m, "the record takes entries again", 1)
			if err := testbed.Until(func() error {
				flush(t, control)
				if x := extent(t, filepath.Join(disk, "record")); x.Entries < 4 {
					return fmt.Errorf("%d entries are in the record", x.Entries)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

// transactions begins so many messages in one connection, and counts those whose recipient is
// accepted.
func transactions(t *testing.T, address string, n int) (answered int) {
	t.Helper()
	c := client{load: &load{t: t, address: address, told: make(chan struct{}, 1), codes: map[string]int{}}, from: "127.0.9.1"}
	defer c.hangUp()
	for i := range n {
		if c.envelope(fmt.Sprintf("mallory@s%d.example.net", i), "bob@example.org").Code() == "250" {
			answered++
		}
	}
	c.load.check()
	return answered
}

// wantMetric waits for a metric: what is only monitored is judged after the reply, and recorded
// then.
func wantMetric(t *testing.T, m *testbed.Mailweir, name string, least float64) {
	t.Helper()
	if err := testbed.Until(func() error {
		got, err := m.Metric(name)
		if err == nil && got < least {
			err = fmt.Errorf("%s is %v; want at least %v", name, got, least)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// wantLines waits for so many lines of the log, which must have no more of them by then.
func wantLines(t *testing.T, m *testbed.Mailweir, part string, want int) {
	t.Helper()
	says := func(line string) bool {
		entry, ok := testbed.ParseEntry(line)
		return ok && strings.HasPrefix(entry["msg"], part)
	}
	n := 0
	m.Log.Wait(0, func(line string) bool {
		if says(line) {
			n++
		}
		return n == want
	})
	all := slices.DeleteFunc(m.Log.Lines(), func(line string) bool { return !says(line) })
	if len(all) != want {
		t.Errorf("%q stands in the log %d times, want %d\n%s", part, len(all), want, m.Log)
	}
}
