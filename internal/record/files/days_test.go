package files_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
)

// names are the files of the record.
func (b *bed) names() string {
	b.Helper()
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		b.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.Contains(e.Name(), ".sqlite") && !strings.HasSuffix(e.Name(), "-wal") && !strings.HasSuffix(e.Name(), "-shm") {
			names = append(names, e.Name())
		}
	}
	return strings.Join(names, " ")
}

// again closes the record and opens it.
func (b *bed) again(o files.Options) {
	b.Helper()
	if err := b.Close(); err != nil {
		b.Fatal(err)
	}
	b.open(o)
}

// begin closes the record and opens it with another file.
func (b *bed) begin(name string, data []byte) {
	b.Helper()
	err := b.Close()
	if err == nil {
		err = os.WriteFile(filepath.Join(b.dir, name), data, 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.open(files.Options{})
}

func (b *bed) wantSaid(parts ...string) {
	b.Helper()
	said := strings.Join(b.said, "\n")
	for _, part := range parts {
		if !strings.Contains(said, part) {
			b.Errorf("%q is not in what was said:\n%s", part, said)
		}
	}
	if len(parts) == 0 && said != "" {
		b.Errorf("said: %s", said)
	}
	b.said = nil
}

// A sum takes the place of its first event, whose day is over, with the position and time of it.
func TestSumAcrossMidnight(t *testing.T) {
	for name, restart := range map[string]bool{"at once": false, "after a start": true} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, files.Options{})
			b.now = time.Date(2026, 11, 23, 23, 59, 30, 0, time.UTC)
			first := b.write(b.refusal("mw-aaaaaaaa"), b.refusal("mw-bbbbbbbb"))[0]
			b.now = b.now.Add(time.Minute)
			if restart {
				b.again(files.Options{})
			}
			sum := *first.Event
			sum.Recipients, sum.Count = []string{"bob@example.org", "carol@example.org"}, 40
			sum.Dedup = &policy.Dedup{Alike: policy.AlikeClient, Times: 31, Last: b.now}
			b.write(b.refusal("mw-cccccccc"), record.Entry{Event: &sum})
			page := b.search(record.Query{Recipient: "carol@example.org"})
			if len(page.Entries) != 1 || page.Entries[0].Position != first.Position || page.Entries[0].Event.Dedup.Times != 31 {
				t.Errorf("%+v, want the sum at %d", page.Entries, first.Position)
			}
			if n := len(b.search(record.Query{}).Entries); n != 3 {
				t.Errorf("%d entries, want 3", n)
			}
			counts, err := b.Counts(t.Context(), b.now.Add(-time.Hour), b.now.Add(time.Hour), 24*time.Hour)
			total := 0
			for _, c := range counts {
				total += c.N
			}
			if err != nil || total != 33 {
				t.Errorf("counted: %d, %v; want 31 and two others", total, err)
			}
			if got, want := b.names(), "2026-11-23.sqlite 2026-11-24.sqlite"; got != want {
				t.Errorf("files: %s", got)
			}
			b.wantSaid()
		})
	}
}

// Yesterday's file costs no more than what it has, when it is damaged or cannot be written to: the
// sum of what it had stands in today's, with all that comes with it.
func TestSumOfDamagedDay(t *testing.T) {
	for name, harm := range map[string]func(path string, data []byte) error{
		"cannot be written": func(path string, _ []byte) error {
			err := os.Remove(path)
			if err == nil {
				err = os.Mkdir(path, 0o700)
			}
			return err
		},
		"no database": func(path string, data []byte) error {
			return os.WriteFile(path, []byte(strings.Repeat("no database ", len(data)/12)), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, files.Options{})
			first := b.write(b.refusal("mw-aaaaaaaa"))[0]
			b.now = b.now.AddDate(0, 0, 1)
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(b.dir, "2026-11-23.sqlite")
			data, err := os.ReadFile(path)
			if err == nil {
				err = harm(path, data)
			}
			if err != nil {
				t.Fatal(err)
			}
			b.open(files.Options{})
			sum := *first.Event
			sum.Dedup = &policy.Dedup{Alike: policy.AlikeClient, Times: 31, Last: b.now}
			b.write(b.refusal("mw-bbbbbbbb"), record.Entry{Event: &sum})
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			if p := b.search(record.Query{IDs: []string{"mw-aaaaaaaa", "mw-bbbbbbbb"}}); len(p.Entries) != 2 {
				t.Errorf("%d entries, want both", len(p.Entries))
			}
		})
	}
}

// Positions only grow, whatever the clock does; once it is a day behind they follow it, and it is
// said.
func TestClockSetBack(t *testing.T) {
	b := newBed(t, files.Options{})
	last := b.write(b.refusal("mw-aaaaaaaa"))[0].Position
	for _, back := range []time.Duration{time.Second, time.Hour, 12 * time.Hour} {
		b.now = start.Add(-back)
		b.again(files.Options{})
		p := b.write(b.refusal("mw-bbbbbbbb"))[0].Position
		if p <= last {
			t.Errorf("%v back: %d after %d", back, p, last)
		}
		last = p
		found := b.search(record.Query{Since: b.now.Add(-time.Second), Until: b.now.Add(time.Second)})
		if len(found.Entries) != 1 || !found.Entries[0].Time().Equal(b.now.Truncate(time.Microsecond)) {
			t.Errorf("%v back: by its time %+v is found", back, found)
		}
	}
	b.wantSaid()
	b.now = start.AddDate(-1, 0, 0)
	if p := b.write(b.refusal("mw-cccccccc"))[0].Position; p.Time().Year() != 2025 {
		t.Errorf("a year back it stands at %v", p.Time())
	}
	b.wantSaid("the clock was wrong, then or now")
	if n := len(b.search(record.Query{}).Entries); n != 5 {
		t.Errorf("%d entries, want 5", n)
	}
}

// A day that is damaged is renamed and said; the others are searched, and today's begins again.
func TestDamage(t *testing.T) {
	whole := func(data []byte) []byte { return []byte(strings.Repeat("no database ", len(data)/12)) }
	inside := func(data []byte) []byte {
		for i := 4096; i < len(data); i += 64 {
			copy(data[i:], "damaged!damaged!damaged!damaged!damaged!damaged!damaged!damaged!")
		}
		return data
	}
	for _, c := range []struct {
		name, file string
		damage     func([]byte) []byte
	}{
		{"the whole of yesterday", "2026-11-23.sqlite", whole},
		{"the whole of today", "2026-11-24.sqlite", whole},
		{"the pages of today", "2026-11-24.sqlite", inside},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, files.Options{})
			b.write(b.refusal("mw-aaaaaaaa"))
			b.now = b.now.AddDate(0, 0, 1)
			b.write(b.refusal("mw-bbbbbbbb"))
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(b.dir, c.file)
			data, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, c.damage(data), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			b.open(files.Options{})
			b.write(b.refusal("mw-cccccccc"))
			if found := b.search(record.Query{}); len(found.Entries) != 2 {
				t.Errorf("%d entries, want that of the other day and the new one", len(found.Entries))
			}
			if !strings.Contains(b.names(), c.file+".damaged-1") {
				t.Errorf("files: %s", b.names())
			}
			b.wantSaid("is damaged", "damaged-1")
		})
	}
}

func TestOneWriter(t *testing.T) {
	b := newBed(t, files.Options{})
	if _, err := files.Open(t.Context(), b.dir, files.Options{}); !errors.Is(err, files.ErrHeld) {
		t.Errorf("a second writer: %v", err)
	}
	b.write(b.refusal("mw-aaaaaaaa"))
	reader, err := files.OpenReadOnly(b.dir, files.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	b.write(b.refusal("mw-bbbbbbbb"))
	if page, err := reader.Search(t.Context(), record.Query{}); err != nil || len(page.Entries) != 2 {
		t.Errorf("beside the writer: %d, %v", len(page.Entries), err)
	}
	if err := reader.Write(t.Context(), []record.Entry{b.refusal("mw-c")}, nil); err == nil {
		t.Error("who only reads has written")
	}
}

func TestDirectory(t *testing.T) {
	if _, err := files.OpenReadOnly(filepath.Join(t.TempDir(), "none"), files.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Open(t.Context(), open, files.Options{}); err == nil || !strings.Contains(err.Error(), "chmod o-w") {
		t.Errorf("a directory of everybody: %v", err)
	}
	b := newBed(t, files.Options{})
	b.write(b.refusal("mw-aaaaaaaa"))
	for _, name := range []string{"holder", "2026-11-23.sqlite", "2026-11-23.sqlite-wal", "2026-11-23.sqlite-shm"} {
		if info, err := os.Stat(filepath.Join(b.dir, name)); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// Old days go by their age, and the oldest while all take too much; today's never does.
func TestRetain(t *testing.T) {
	b := newBed(t, files.Options{For: 48 * time.Hour})
	for range 5 {
		b.write(b.refusal("mw-aaaaaaaa"))
		b.now = b.now.AddDate(0, 0, 1)
	}
	b.now = b.now.AddDate(0, 0, -1)
	for _, c := range []struct {
		name string
		o    files.Options
		want string
	}{
		{"for ever", files.Options{}, "2026-11-23.sqlite 2026-11-24.sqlite 2026-11-25.sqlite 2026-11-26.sqlite 2026-11-27.sqlite"},
		{"two days and what is begun", files.Options{For: 48 * time.Hour}, "2026-11-25.sqlite 2026-11-26.sqlite 2026-11-27.sqlite"},
		{"no room", files.Options{Max: 1}, "2026-11-27.sqlite"},
	} {
		b.again(c.o)
		if err := b.Retain(t.Context(), b.now); err != nil {
			t.Fatal(err)
		}
		if got := b.names(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if n := len(b.search(record.Query{}).Entries); n != 1 {
		t.Errorf("%d entries left", n)
	}
}

// The rows of accepted messages leave little room on a page.
func TestPages(t *testing.T) {
	b := newBed(t, files.Options{})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(b.dir, "2026-11-23.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	if size := binary.BigEndian.Uint16(data[16:]); size != 8192 { // Database File Format, 1.3.2
		t.Errorf("pages of %d octets", size)
	}
}

// A file of version 1, which has smaller pages, is read, and takes more.
func TestVersion1(t *testing.T) {
	b := newBed(t, files.Options{})
	data, err := os.ReadFile("testdata/version1.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	b.begin("2026-11-23.sqlite", data)
	b.write(b.refusal("mw-cccccccc"))
	page := b.search(record.Query{Recipient: "@example.org", Forward: true})
	if len(page.Entries) != 3 || page.Entries[0].Event.ID != "mw-aaaaaaaa" || page.Entries[1].Message.QueueID != "4AbC" {
		t.Errorf("%+v", page.Entries)
	}
	changes, err := b.Changes(t.Context(), record.ChangeQuery{Operation: "tempblock"})
	if err != nil || len(changes) != 1 || changes[0].Name != "bob" {
		t.Errorf("%+v, %v", changes, err)
	}
	counts, err := b.Counts(t.Context(), start.Add(-time.Hour), start.Add(time.Hour), time.Hour)
	if err != nil || len(counts) != 2 {
		t.Errorf("%+v, %v", counts, err)
	}
	b.wantSaid()
}

// A file of a later mailweir is set aside where it would have to be written.
func TestLaterVersion(t *testing.T) {
	b := newBed(t, files.Options{})
	data, err := os.ReadFile("testdata/version1.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	data[63] = 99 // user_version, a number of four octets at 60 (Database File Format, 1.3)
	b.begin("2026-11-23.sqlite", data)
	b.write(b.refusal("mw-cccccccc"))
	if n := len(b.search(record.Query{}).Entries); n != 1 {
		t.Errorf("%d entries, want the new one", n)
	}
	b.wantSaid("it was written by a later one")
}

// A search that takes too long says how far it came, and goes on from there.
func TestTextGivesUp(t *testing.T) {
	b := newBed(t, files.Options{})
	for range 3 {
		b.write(b.refusal("mw-aaaaaaaa"))
		b.now = b.now.AddDate(0, 0, 1)
	}
	for name, forward := range map[string]bool{"newest first": false, "oldest first": true} {
		t.Run(name, func(t *testing.T) {
			ticks := b.now
			o := files.Options{Clock: func() time.Time { ticks = ticks.Add(3 * time.Second); return ticks }}
			s, err := files.OpenReadOnly(b.dir, o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			q, found, pages := record.Query{Text: "zen.example", Forward: forward}, 0, 0
			for {
				page, err := s.Search(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				found, pages = found+len(page.Entries), pages+1
				if page.Reached.IsZero() {
					break
				}
				if forward {
					q.After = record.PositionAt(page.Reached) - 1
				} else {
					q.Before = record.PositionAt(page.Reached)
				}
			}
			if found != 3 || pages < 3 {
				t.Errorf("%d found on %d pages", found, pages)
			}
		})
	}
}
