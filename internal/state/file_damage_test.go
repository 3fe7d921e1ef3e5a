package state

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// damages are what a disk, or a careless hand, does to the file of rows.
var damages = map[string]func(file *os.File) error{
	"overwritten": func(file *os.File) error { return overwrite(file, 3*4096) },
	"truncated":   func(file *os.File) error { return file.Truncate(20000) },
	"zeroed": func(file *os.File) error {
		info, err := file.Stat()
		if err == nil {
			_, err = file.WriteAt(make([]byte, info.Size()-3*4096), 3*4096)
		}
		return err
	},
	"heads overwritten": func(file *os.File) error { return overwrite(file, 0) },
	"cut off early":     func(file *os.File) error { return file.Truncate(100) },
	"emptied":           func(file *os.File) error { return file.Truncate(0) },
}

// overwrite writes noise, the same each time, from there to the end.
func overwrite(file *os.File, from int64) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	noise := make([]byte, info.Size()-from)
	if _, err := rand.NewChaCha8([32]byte{}).Read(noise); err != nil {
		return err
	}
	_, err = file.WriteAt(noise, from)
	return err
}

func damage(t *testing.T, dir, how string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(dir, "state.db"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(damages[how](file), file.Close()); err != nil {
		t.Fatal(err)
	}
}

// full returns a store whose rows are in the file, in many pages.
func full(t *testing.T, dir string, options Options) *File {
	t.Helper()
	f := openFile(t, dir, options)
	for i := range 3000 {
		put(t, f, Key("a", fmt.Sprintf("%04d", i)), strings.Repeat("x", 50), time.Hour)
	}
	checkpoint(t, f)
	return f
}

func TestFileDamagedAtStart(t *testing.T) {
	for how := range damages {
		t.Run(how, func(t *testing.T) {
			dir := t.TempDir()
			if err := full(t, dir, Options{}).Close(); err != nil {
				t.Fatal(err)
			}
			damage(t, dir, how)
			name := filepath.Join(dir, "state.db")
			for range 2 { // nothing holds the directory after an error
				f, err := OpenFile(dir, Options{})
				if err == nil { // what is read at a start is well; the rest comes out in use
					if _, err = f.List(t.Context(), Prefix("a"), "", 5000); !errors.Is(err, ErrDown) {
						t.Errorf("all rows: %v", err)
					}
					_ = f.Close() // says again what is damaged
				}
				var damaged *DamagedError
				if !errors.As(err, &damaged) || damaged.File != name || !strings.Contains(err.Error(), "move it away") {
					t.Fatalf("opens with %v", err)
				}
			}
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			wantValue(t, openFile(t, dir, Options{}), Key("a", "0000"), "")
		})
	}
}

// TestFileDamagedInUse: the process lives, everyone who asks is told that the store is unavailable,
// and it is said once why.
func TestFileDamagedInUse(t *testing.T) {
	for how := range damages {
		t.Run(how, func(t *testing.T) {
			down := make(chan error, 10)
			dir := t.TempDir()
			f := full(t, dir, Options{OnDown: func(err error) { down <- err }, OnUp: func() { t.Error("it is said to be up") }})
			put(t, f, "b|pending", "x", 0)
			damage(t, dir, how)
			_, err := f.List(t.Context(), Prefix("a"), "", 5000)
			if how == "heads overwritten" { // bbolt looks there only when it writes
				err = f.Checkpoint()
			}
			var damaged *DamagedError
			if !errors.Is(err, ErrDown) || !errors.As(err, &damaged) {
				t.Fatalf("all rows are read: %v", err)
			}
			for name, use := range map[string]func() error{
				"Get":        func() error { _, _, err := f.Get(t.Context(), Key("a", "1500")); return err },
				"Put":        func() error { _, err := f.Do(t.Context(), Put(Key("a", "1500"), nil, 0)); return err },
				"Entered":    func() error { _, err := f.Do(t.Context(), Put("a|e", nil, 0).Entered()); return err },
				"List":       func() error { _, err := f.List(t.Context(), Prefix("a"), "", 5000); return err },
				"Ending":     func() error { _, err := f.Ending(t.Context(), "a", time.Now().Add(2*time.Hour), 5000); return err },
				"Stats":      func() error { _, err := f.Stats(t.Context()); return err },
				"Checkpoint": f.Checkpoint,
			} {
				if err := use(); !errors.Is(err, ErrDown) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if err := f.Close(); !errors.Is(err, ErrDown) {
				t.Errorf("Close: %v", err)
			}
			if err := <-down; !errors.As(err, &damaged) || len(down) != 0 {
				t.Errorf("told %v, and %d more", err, len(down))
			}
			// What the file had not got yet is kept for the next one.
			if err := os.Remove(filepath.Join(dir, "state.db")); err != nil {
				t.Fatal(err)
			}
			wantValue(t, openFile(t, dir, Options{}), "b|pending", "x")
		})
	}
}

// TestFileDefectIsNoDamage: a panic of ours is not taken for the file's.
func TestFileDefectIsNoDamage(t *testing.T) {
	f := full(t, t.TempDir(), Options{OnDown: func(err error) { t.Error(err) }})
	for name, defect := range map[string]func(){
		"panic": func() { panic("ours") },
		"bound": func() { _ = make([]byte, 1)[len(f.dir)] },
		"nil":   func() { (*File)(nil).dir = "x" },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it is hidden")
				}
			}()
			_ = f.onRows(func() error { defect(); return nil })
		})
	}
	wantValue(t, f, Key("a", "0000"), strings.Repeat("x", 50))
}
