package state

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

func openFile(t *testing.T, dir string, options Options) *File {
	t.Helper()
	f, err := OpenFile(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestFileIsHeld(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "state")
	f := openFile(t, dir, Options{})
	_, err := OpenFile(dir, Options{})
	var held *HeldError
	if !errors.As(err, &held) || held.PID != strconv.Itoa(os.Getpid()) || held.Since == "" {
		t.Fatalf("a second one is told %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if _, _, err := f.Get(t.Context(), "a|k"); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	openFile(t, dir, Options{})
}

func TestFileIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	f := openFile(t, dir, Options{})
	put(t, f, "a|k", "x", 0)
	checkpoint(t, f)
	if _, err := f.Do(t.Context(), Put("a|entered", nil, 0).Entered()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory is %v, %v", info.Mode(), err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v, %v", file.Name(), info.Mode(), err)
		}
	}
}

func TestFileOfNewerProgram(t *testing.T) {
	for name, c := range map[string]struct {
		schema string
		newer  bool
	}{"newer": {"99", true}, "not ours": {"x", false}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := openFile(t, dir, Options{}).Close(); err != nil {
				t.Fatal(err)
			}
			db, err := bolt.Open(filepath.Join(dir, "state.db"), 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bolt.Tx) error { return tx.Bucket(metaBucket).Put(schemaKey, []byte(c.schema)) })
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenFile(dir, Options{}); err == nil || errors.Is(err, ErrNewer) != c.newer {
				t.Errorf("opens with %v", err)
			}
		})
	}
}

// TestFileRemembers: what was closed is there, from the file and from the journal alike, and counts
// are right.
func TestFileRemembers(t *testing.T) {
	dir := t.TempDir()
	h := newHand()
	options := Options{Clock: h.time, Rows: 10}
	f := openFile(t, dir, options)
	put(t, f, "a|short", "x", time.Minute)
	put(t, f, "a|long", "x", time.Hour)
	add(t, f, "a|n", 7, time.Hour, 7)
	for i := range 20 {
		put(t, f, Key("b", strconv.Itoa(100+i)), "x", time.Duration(i+1)*time.Hour)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	h.move(time.Minute)
	f = openFile(t, dir, options)
	wantValue(t, f, "a|short", "")
	wantValue(t, f, "a|long", "x")
	add(t, f, "a|n", 1, time.Hour, 8)
	stats, err := f.Stats(t.Context())
	if err != nil || len(stats.Spaces) != 2 || stats.Spaces[1] != (SpaceStats{"b", 10, 10}) {
		t.Errorf("%+v, %v", stats, err)
	}
	wantValue(t, f, "b|109", "")
	wantValue(t, f, "b|110", "x")
}

// TestFileRenewedRowsStay: eviction goes by when rows end now, not by when they were to end once.
func TestFileRenewedRowsStay(t *testing.T) {
	h := newHand()
	f := openFile(t, t.TempDir(), Options{Clock: h.time, Rows: 10})
	for i := range 10 {
		put(t, f, Key("b", strconv.Itoa(i)), "x", time.Duration(i+1)*time.Minute)
	}
	checkpoint(t, f)
	if _, err := f.Do(t.Context(), Touch("b|0", time.Hour)); err != nil {
		t.Fatal(err)
	}
	put(t, f, "b|new", "x", time.Hour)
	checkpoint(t, f)
	wantValue(t, f, "b|0", "x")
	wantValue(t, f, "b|1", "")
	wantValue(t, f, "b|2", "x")
	h.move(30 * time.Minute)
	checkpoint(t, f)
	if stats, _ := f.Stats(t.Context()); stats.Spaces[0] != (SpaceStats{"b", 2, 1}) {
		t.Errorf("%+v", stats)
	}
	wantValue(t, f, "b|0", "x")
}

func checkpoint(t *testing.T, f *File) {
	t.Helper()
	if err := f.Checkpoint(); err != nil {
		t.Fatal(err)
	}
}

// TestFileDiskFails: what cannot be synced stays, whoever entered it is told, and it is written
// when the disk works again.
func TestFileDiskFails(t *testing.T) {
	down, up := make(chan error, 10), make(chan struct{}, 10)
	dir := t.TempDir()
	f := openFile(t, dir, Options{OnDown: func(err error) { down <- err }, OnUp: func() { up <- struct{}{} }})
	if _, err := f.Do(t.Context(), Put("a|before", []byte("x"), 0).Entered()); err != nil {
		t.Fatal(err)
	}
	broken := f.journal.file
	f.journal.writing.Lock()
	name := broken.Name()
	_ = broken.Close()
	f.journal.writing.Unlock()
	if _, err := f.Do(t.Context(), Put("a|entered", []byte("x"), 0).Entered()); !errors.Is(err, ErrUnwritten) {
		t.Errorf("entered on a broken disk: %v", err)
	}
	if err := <-down; !errors.Is(err, ErrUnwritten) {
		t.Error(err)
	}
	put(t, f, "a|counted", "x", 0)
	wantValue(t, f, "a|counted", "x")
	if err := f.Checkpoint(); !errors.Is(err, ErrUnwritten) {
		t.Errorf("a checkpoint on a broken disk: %v", err)
	}
	if stats, err := f.Stats(t.Context()); err != nil || !stats.Unwritten || len(stats.Notes) != 1 {
		t.Errorf("%+v, %v", stats, err)
	}
	mended, err := os.OpenFile(name, os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f.journal.writing.Lock()
	f.journal.file = mended
	f.journal.writing.Unlock()
	if _, err := f.Do(t.Context(), Put("a|again", []byte("x"), 0).Entered()); err != nil {
		t.Errorf("entered on a mended disk: %v", err)
	}
	<-up
	if len(down) != 0 || len(up) != 0 {
		t.Error("it was told more than once")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = openFile(t, dir, Options{})
	for _, key := range []string{"a|before", "a|entered", "a|counted", "a|again"} {
		wantValue(t, f, key, "x")
	}
}

func TestMigrate(t *testing.T) {
	h := newHand()
	from := NewMemory(h.time, 10_000)
	for i := range 2500 {
		put(t, from, Key("b", strconv.Itoa(i)), strconv.Itoa(i), time.Hour)
	}
	put(t, from, "plain", "x", 0)
	if _, err := from.Do(t.Context(), Put("a|entered", []byte("x"), time.Minute).Entered()); err != nil {
		t.Fatal(err)
	}
	to := openFile(t, t.TempDir(), Options{Clock: h.time})
	last := 0
	if err := Migrate(t.Context(), from, to, func(n int) { last = n }); err != nil || last != 2502 {
		t.Fatalf("%d rows, %v", last, err)
	}
	for _, prefix := range []string{"", Prefix("a"), Prefix("b")} {
		want, _ := from.List(t.Context(), prefix, "", 5000)
		got, err := to.List(t.Context(), prefix, "", 5000)
		if err != nil || len(got) != len(want) || len(want) == 0 {
			t.Fatalf("%q has %d rows, %v; want %d", prefix, len(got), err, len(want))
		}
		for i := range want {
			if got[i].Key != want[i].Key || string(got[i].Value) != string(want[i].Value) ||
				!got[i].Until.Equal(want[i].Until) || got[i].Entered != want[i].Entered {
				t.Errorf("%+v became %+v", want[i], got[i])
			}
		}
	}
}

func TestOpen(t *testing.T) {
	for _, spec := range []string{"", "memory", "file:", "disk:/x", "redis:x"} {
		if _, err := Open(t.Context(), spec, Options{}); err == nil {
			t.Errorf("%q opens", spec)
		}
	}
	for _, spec := range []string{"memory:", "file:" + t.TempDir()} {
		s, err := Open(t.Context(), spec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, "a|k", "x", 0)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
