package web

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"testing"

	"mailweir/internal/policy"
)

// A form makes the words of the command of what is filled in, and is filled in by such words.
func TestForm(t *testing.T) {
	type request struct{ From string }
	op := policy.NewOperation(policy.About{Name: "pass", Args: "ADDRESS…"},
		func(f *policy.Flags) func([]string) (request, error) {
			from := f.String("from", "", "ADDRESS", "of this sender")
			f.Bool("all", false, "all of them")
			f.Int("limit", 10, "rows")
			return func([]string) (request, error) { return request{*from}, nil }
		},
		func(context.Context, *policy.Call, request) (policy.Nothing, error) { return policy.Nothing{}, nil }, nil)
	f := newForm(policy.OperationGroup{Name: "greylist"}, op)
	for _, tt := range []struct {
		name   string
		values url.Values
		words  []string
	}{
		{"nothing", url.Values{}, nil},
		{"blanks", url.Values{"from": {" "}, "args": {" "}}, nil},
		{"flags", url.Values{"from": {"a@b.example"}, "all": {"on"}}, []string{"--all=on", "--from=a@b.example"}},
		{"arguments", url.Values{"args": {"192.0.2.1 192.0.2.2"}}, []string{"192.0.2.1", "192.0.2.2"}},
		{"an argument like a flag", url.Values{"args": {"--all"}}, []string{"--", "--all"}},
		{"a sender of two words", url.Values{"from": {`"a b"@c.example`}}, []string{`--from="a b"@c.example`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			words := f.words(tt.values)
			if !slices.Equal(words, tt.words) {
				t.Errorf("words %q, want %q", words, tt.words)
			}
			again := newForm(f.group, op).values(words)
			if got := f.words(again); !slices.Equal(got, tt.words) {
				t.Errorf("filled in by its words it makes %q of %v", got, again)
			}
			if want := len(tt.words) > 0; f.filled(tt.values) != want && tt.name != "blanks" {
				t.Errorf("filled in: %t, want %t", !want, want)
			}
		})
	}
	if fields := f.fields(url.Values{}); len(fields) != 3 || fields[0].Name != "args" || !fields[1].Check {
		t.Errorf("fields %+v: want arguments, a box and a sender, and no limit", fields)
	}
}

// A list that comes whole is shown a page at a time, and only the rows that hold a text.
func TestPart(t *testing.T) {
	var l policy.Listing
	for i := range 250 {
		l.Row(fmt.Sprintf("Net%d", i), "x")
	}
	for _, tt := range []struct {
		name, holding, after string
		rows                 int
		first, next          string
	}{
		{"the first page", "", "", 100, "Net0", "100"},
		{"the last page", "", "200", 50, "Net200", ""},
		{"beyond the end", "", "1000", 0, "", ""},
		{"before the beginning", "", "-5", 100, "Net0", "100"},
		{"no number", "", "x", 100, "Net0", "100"},
		{"a filter, in any case", "net24", "", 11, "Net24", ""},
		{"a filter of nothing", "nothing", "", 0, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			whole := l
			whole.Rows = slices.Clone(l.Rows)
			got := part(whole, tt.holding, tt.after)
			first := ""
			if len(got.Rows) > 0 {
				first = got.Rows[0].Cells[0]
			}
			if len(got.Rows) != tt.rows || first != tt.first || got.Next != tt.next {
				t.Errorf("%d rows from %q, next %q; want %d from %q, next %q", len(got.Rows), first, got.Next, tt.rows, tt.first, tt.next)
			}
		})
	}
}

// How long an entry lasts is what the form offers, or as the command has it.
func TestLasts(t *testing.T) {
	for text, want := range map[string]string{"": "0s", "24h": "24h0m0s", "30d": "720h0m0s"} {
		if got, err := lasts(text); err != nil || got.String() != want {
			t.Errorf("%q lasts %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"-1h", "soon"} {
		if got, err := lasts(text); err == nil {
			t.Errorf("%q lasts %s", text, got)
		}
	}
}
