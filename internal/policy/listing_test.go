package policy

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListing(t *testing.T) {
	list := func(names []string) (l Listing) {
		l.Titles = []string{"NAME", "LENGTH"}
		for _, name := range names {
			l.Row(name, len(name)).Use("Take off", "names", "rm", name)
		}
		l.Note("%d names", len(names))
		return l
	}
	o := NewList(About{Name: "list"}, Unasked,
		func(context.Context, *Call, Nothing) ([]string, error) { return []string{"a", "bb\x1b"}, nil }, list)
	answer, err := o.Run(t.Context(), new(Call), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	data, _ := json.Marshal(answer)
	got, err := o.Listing(data)
	want := Listing{
		Titles: []string{"NAME", "LENGTH"},
		Rows: []ListRow{
			{[]string{"a", "1"}, []Use{{"Take off", "names", "rm", []string{"a"}}}},
			{[]string{"bb\x1b", "3"}, []Use{{"Take off", "names", "rm", []string{"bb\x1b"}}}},
		},
		Notes: []string{"2 names"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	var out strings.Builder
	if err := o.Show(&out, data); err != nil || out.String() != "NAME      LENGTH\na         1\nbb\\u001b  3\n2 names\n" {
		t.Errorf("shown %q, %v", out.String(), err)
	}
	if _, err := o.Listing([]byte("{")); err == nil || !strings.HasPrefix(err.Error(), "malformed answer") {
		t.Errorf("error %v", err)
	}
	if !o.Lists() || (Operation{}).Lists() {
		t.Error("an operation lists where it is declared so")
	}
	if err := got.Write(failing{}); err == nil {
		t.Error("no error where nothing can be written")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

// A span begins after the row that the one before ended with, whatever octets its key has.
func TestSpan(t *testing.T) {
	for _, key := range []string{"", "greylist|a@b|c", "x|\xff\x00"} {
		if got := PageOf(After(key), 3).Begin(); got != key {
			t.Errorf("after %q it begins after %q", key, got)
		}
	}
	if got := (Span{After: "%%%"}).Begin(); got != "" {
		t.Errorf("what is no row begins after %q", got)
	}
	if s := PageOf("", 3); s.Limit != 3 || s.Look != 3*looked {
		t.Errorf("%+v", s)
	}
}
