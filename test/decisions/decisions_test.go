package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

func TestEventLines(t *testing.T) {
	entries := []testbed.Entry{
		{"msg": "ready", "level": "info"},
		{"check": "hops", "event": "mw-abcdefgh", "queue_id": "Q1", "text": "Loop [mw-abcdefgh]", "time": "x", "session": "y"},
		{"fate": "accepted", "queue_id": "Q2", "spf": "pass", "cause": "retried after 1m0.5s at 127.0.0.1:4711 in /tmp/mw123/x, 2026-01-05T10:00:00Z"},
		{"check": "rbl", "cause": "127.0.0.9 127.0.0.2 (10 words)"},
	}
	want := []string{
		`Q1 event check="hops" text="Loop [mw-ID]"`,
		`Q2 outcome cause="retried after DURATION at 127.0.0.1:PORT in $TMP/x, TIME" fate="accepted"`,
		` event cause="127.0.0.2 127.0.0.9 (10 words)" check="rbl"`,
	}
	got := eventLines(entries, "")
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestDiff(t *testing.T) {
	write := func(name, text string) string {
		dir := filepath.Join(t.TempDir(), "below")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return filepath.Dir(dir)
	}
	renames := filepath.Join(t.TempDir(), "renames")
	if err := os.WriteFile(renames, []byte("# words\nstrangers? => untrusted\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		before []string
		after  string
		want   string // "" where all is alike
	}{
		{"alike in another order", []string{"b\na\n"}, "a\nb\n", ""},
		{"a line gone and one come", []string{"a\nb\n"}, "b\nc\n", "below/f\n- a\n+ c\n1 of 1 files differ\n"},
		{"once less", []string{"a\na\n"}, "a\n", "below/f\n- a\n1 of 1 files differ\n"},
		{"as one of two", []string{"x\n", "a\n"}, "a\n", ""},
		{"nearest of two", []string{"x\ny\n", "a\nb\n"}, "a\n", "below/f\n- b\n1 of 1 files differ\n"},
		{"renamed", []string{"a stranger\n"}, "a untrusted\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before []string
			for _, text := range c.before {
				before = append(before, write("f", text))
			}
			var out strings.Builder
			err := diff(&out, before, write("f", c.after), renames)
			if errors.Is(err, errDiffers) != (c.want != "") || c.want != "" && out.String() != c.want {
				t.Errorf("%v, got\n%s\nwant\n%s", err, &out, c.want)
			}
		})
	}
}

func TestEnvelopeIsFixed(t *testing.T) {
	const text = "From: Alice <alice@example.net>\nSubject: x\n\nbody\n"
	first, second := envelope(7, "a", text), envelope(7, "a", text)
	if first.sender != second.sender || strings.Join(first.recipients, " ") != strings.Join(second.recipients, " ") {
		t.Errorf("%+v and %+v", first, second)
	}
	if len(first.recipients) == 0 || first.queueID != "Q00007" {
		t.Errorf("%+v", first)
	}
}
