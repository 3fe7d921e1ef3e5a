package state

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzKey: parts survive the way through a key that has room for them, parts that were read make
// the same key again, and no key is too long for a store.
func FuzzKey(f *testing.F) {
	f.Add("192.0.2.0/24", "a@example.com")
	f.Add("", "")
	f.Add("a|b", "%7C")
	f.Add("\x00%", "ü\xff")
	f.Add(strings.Repeat("|", 1400), strings.Repeat("x", 3000))
	f.Fuzz(func(t *testing.T, a, b string) {
		key := Key("space", a, b)
		space, parts := Parts(key)
		fits := 3*max(len(a), len(b)) < maxPart && a[:min(1, len(a))] != "\x00" && b[:min(1, len(b))] != "\x00"
		if fits && (space != "space" || !slices.Equal(parts, []string{a, b})) {
			t.Errorf("%q, %q became %q and then %q %q", a, b, key, space, parts)
		}
		if again := Key(space, parts...); again != key || len(parts) != 2 {
			t.Errorf("%q, %q became %q, and its parts %q", a, b, key, again)
		}
		if err := Get(key).check(); err != nil || !strings.HasPrefix(key, Prefix("space", a)) {
			t.Errorf("%q, %q became %q: %v", a, b, key, err)
		}
		Parts(a + b)
	})
}

// FuzzJournal: whatever a crash or a disk makes of a journal, reading it ends, and what it holds
// before the damage is read.
func FuzzJournal(f *testing.F) {
	j := &journal{}
	j.add("a|k", change{row: row{value: []byte("x"), until: 5, entered: true}})
	j.add("a|gone", change{gone: true})
	name := filepath.Join(f.TempDir(), "journal")
	file, err := os.Create(name)
	if err != nil {
		f.Fatal(err)
	}
	j.file = file
	if err := j.sync(); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		f.Fatal(err)
	}
	_ = file.Close()
	f.Add([]byte{})
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(whole[batchHead:])
	f.Fuzz(func(t *testing.T, tail []byte) {
		name := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(name, append(slices.Clone(whole), tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		read := 0
		err := replayJournal(name, func(string, change) { read++ })
		if read < 2 {
			t.Errorf("%d records before the damage are read, want 2 (%v)", read, err)
		}
		_ = replayBatch(tail, func(string, change) {})
	})
}

// FuzzParseRedis: no name of a store is a panic, and what it takes has a server.
func FuzzParseRedis(f *testing.F) {
	f.Add("redis://127.0.0.1:6379/3?prefix=x")
	f.Add("rediss://a:1,b:2?master=mw&user=x")
	f.Add("redis://[::1]:1?cluster=yes&password-file=/nonexistent")
	f.Add("redis://user:secret@host:1")
	f.Fuzz(func(t *testing.T, spec string) {
		if s, err := parseRedis(spec); err == nil && len(s.addresses) == 0 {
			t.Errorf("%q has no server", spec)
		}
	})
}
