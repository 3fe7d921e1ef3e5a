package table

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEach(t *testing.T) {
	file := filepath.Join(t.TempDir(), "names")
	if err := os.WriteFile(file, []byte("b one\n\na two\nb three\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	each := func(f func(Match) error, specs ...string) error {
		t.Helper()
		list, err := NewLoader(nil).List(ListOptions{}, specs...)
		if err != nil {
			t.Fatal(err)
		}
		return list.Each(f)
	}
	var seen []string
	note := func(m Match) error { seen = append(seen, m.Key+" "+m.Value+" "+m.Where()); return nil }
	if err := each(note, file, "inline:{c=x}"); err != nil {
		t.Fatal(err)
	}
	want := "b one " + file + ":1|a two " + file + ":3|c x inline:{c=x}" // the second b does not count
	if got := strings.Join(seen, "|"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if err := each(note); err != nil || len(seen) != 3 {
		t.Errorf("no table: %v, %q", err, seen)
	}
	for spec, want := range map[string]string{file: file + ":1: no", "inline:{c=x}": "inline:{c=x}: no", "static:x": "static:x: its entries cannot be taken one by one"} {
		if err := each(func(Match) error { return errors.New("no") }, spec); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
}
