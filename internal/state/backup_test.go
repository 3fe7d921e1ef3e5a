package state_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"mailweir/internal/state"
)

var restoredAt = time.Date(2026, 11, 29, 6, 41, 0, 0, time.UTC)

func openDir(t *testing.T, dir string) *state.File {
	t.Helper()
	f, err := state.OpenFile(dir, state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t *testing.T, s state.Store, key, value string) {
	t.Helper()
	if _, err := s.Do(t.Context(), state.Put(key, []byte(value), 0).Entered()); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s state.Store, key string) string {
	t.Helper()
	value, found, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		return "none"
	}
	return string(value)
}

func closed(t *testing.T, s state.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// backedUp writes a backup of a store that is in use.
func backedUp(t *testing.T, s state.Store) string {
	t.Helper()
	from, err := state.Snapshot(s)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	raw, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestBackup: a backup has what was acknowledged before it and nothing of what came later; the
// state that it takes the place of stays beside it.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	f := openDir(t, dir)
	for i := range 3000 {
		if _, err := f.Do(t.Context(), state.Add(fmt.Sprintf("n|%d", i), 1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, f, "a|1", "before")
	backup := backedUp(t, state.Traced(state.NewSwitch(f)))
	put(t, f, "a|1", "after")
	put(t, f, "a|2", "later")
	if _, err := state.Restore(dir, backup, restoredAt); !errors.As(err, new(*state.HeldError)) {
		t.Errorf("while it is held: %v", err)
	}
	closed(t, f)
	got, err := state.Restore(dir, backup, restoredAt)
	if want := filepath.Join(dir, "state.db.20261129T064100Z"); err != nil || got != (state.Restored{Rows: 3001, Kept: want}) {
		t.Fatalf("%+v, %v; want %s", got, err, want)
	}
	f = openDir(t, dir)
	if a, b := read(t, f, "a|1"), read(t, f, "a|2"); a != "before" || b != "none" {
		t.Errorf("restored %s, %s", a, b)
	}
	closed(t, f)
	if got, err := state.Restore(dir, got.Kept, restoredAt.Add(time.Second)); err != nil || got.Rows != 3002 {
		t.Fatalf("back again: %+v, %v", got, err)
	}
	f = openDir(t, dir)
	if a, b := read(t, f, "a|1"), read(t, f, "a|2"); a != "after" || b != "later" {
		t.Errorf("back again %s, %s", a, b)
	}
	closed(t, f)
	if names, err := filepath.Glob(filepath.Join(dir, "backup.*")); err != nil || len(names) > 0 {
		t.Errorf("left behind: %q, %v", names, err)
	}
}

// TestRestoreElsewhere: into an empty directory, and in the place of a state that is damaged.
func TestRestoreElsewhere(t *testing.T) {
	f := openDir(t, t.TempDir())
	put(t, f, "a|1", "x")
	backup := backedUp(t, f)
	closed(t, f)
	empty := t.TempDir()
	if got, err := state.Restore(empty, backup, restoredAt); err != nil || got.Kept != "" {
		t.Errorf("%+v, %v", got, err)
	}
	damaged := t.TempDir()
	for name, text := range map[string]string{"state.db": strings.Repeat("x", 9000), "journal.0000000007": "x"} {
		if err := os.WriteFile(filepath.Join(damaged, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := state.Restore(damaged, backup, restoredAt)
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int64{got.Kept: 9000, got.Kept + ".journal.0000000007": 1} {
		if info, err := os.Stat(name); err != nil || info.Size() != size {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for _, dir := range []string{empty, damaged} {
		f := openDir(t, dir)
		if got := read(t, f, "a|1"); got != "x" {
			t.Errorf("%s: %s", dir, got)
		}
		closed(t, f)
		info, err := os.Stat(filepath.Join(dir, "state.db"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
	}
}

// TestRestoreRefuses what is no backup, and leaves everything as it was.
func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	f := openDir(t, dir)
	put(t, f, "a|1", "x")
	backup := backedUp(t, f)
	closed(t, f)
	whole, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	half := make([]byte, len(whole))
	copy(half, whole[:len(whole)/2])
	for name, c := range map[string]struct {
		octets []byte
		want   string
	}{
		"empty":   {nil, "it is damaged (it has 0 octets): take another backup"},
		"other":   {make([]byte, 20000), "it is damaged (invalid database): take another backup"},
		"cut off": {whole[:len(whole)/2], "it is damaged"},
		"zeros":   {half, "it is damaged"},
		"newer":   {newer(t), "state was written by a newer mailweir: it has schema 99, and this one knows 1"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := filepath.Join(t.TempDir(), "wrong")
			if err := os.WriteFile(wrong, c.octets, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := state.Restore(dir, wrong, restoredAt); err == nil || !strings.Contains(err.Error(), wrong+": "+c.want) {
				t.Errorf("%v; want %s", err, c.want)
			}
			f := openDir(t, dir)
			if got := read(t, f, "a|1"); got != "x" {
				t.Error(got)
			}
			closed(t, f)
			if names, err := filepath.Glob(filepath.Join(dir, "state.db.*")); err != nil || len(names) > 0 {
				t.Errorf("left behind: %q, %v", names, err)
			}
		})
	}
	if _, err := state.Restore(dir, filepath.Join(dir, "missing"), restoredAt); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := state.Restore(dir, dir, restoredAt); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Error(err)
	}
}

// TestRestoreFlipped: whatever single bit of a backup is another one, the program says so or reads
// what is there, and is not ended by the kernel for reading beyond the file.
func TestRestoreFlipped(t *testing.T) {
	dir := t.TempDir()
	f := openDir(t, dir)
	for n := range 150 {
		put(t, f, fmt.Sprint("a|", n), strings.Repeat("x", n))
	}
	whole, err := os.ReadFile(backedUp(t, f))
	if err != nil {
		t.Fatal(err)
	}
	closed(t, f)
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.Mkdir(filepath.Join(filepath.Dir(wrong), "into"), 0o700); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range 150 {
		flipped := bytes.Clone(whole)
		for range 1 << random.IntN(9) {
			flipped[random.IntN(len(flipped))] ^= 1 << random.IntN(8)
		}
		if err := os.WriteFile(wrong, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := state.Restore(filepath.Join(filepath.Dir(wrong), "into"), wrong, restoredAt); err != nil {
			refused++
		}
	}
	if refused < 50 {
		t.Errorf("%d of 150 are refused", refused)
	}
}

// TestNoSnapshot of what is in no directory.
func TestNoSnapshot(t *testing.T) {
	if _, err := state.Snapshot(state.NewMemory(time.Now, 1)); err == nil {
		t.Error("of a memory")
	}
}

// newer is what a later program has written.
func newer(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	closed(t, openDir(t, dir))
	name := filepath.Join(dir, "state.db")
	db, err := bolt.Open(name, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte("99")) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
