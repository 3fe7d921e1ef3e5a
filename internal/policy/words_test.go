package policy

import (
	"context"
	"strings"
	"testing"
)

func TestVerdict(t *testing.T) {
	reply := &Reply{ID: "x"}
	plain := Object(reply).Because("entry %d of %s", 3, "list")
	if !plain.Objects() || plain.Reply() != reply || plain.Cause() != "entry 3 of list" {
		t.Errorf("%+v", plain)
	}
	if plain.OnlyMonitors() || plain.Also() != nil || plain.Work() != nil || plain.Waits() || len(plain.Edits()) > 0 {
		t.Errorf("a plain objection has more: %+v", plain)
	}
	if Pass.Objects() || Pass.Finds() || Pass.Reply() != nil || !plain.Finds() {
		t.Errorf("Pass objects: %+v", Pass)
	}
	if v := plain.Monitored(); !v.OnlyMonitors() || plain.OnlyMonitors() {
		t.Errorf("monitored: %+v, and before %+v", v, plain)
	}
	if v := Edits(Quarantine("look")); v.Objects() || !v.Finds() || len(v.Edits()) != 1 {
		t.Errorf("edits: %+v", v)
	}
	second := Object(reply).Because("second")
	if v := plain.And(second); v.Also() == nil || v.Also().Cause() != "second" || v.Cause() == "second" {
		t.Errorf("and: %+v", v)
	}
}

// What the runner would not judge cannot be said by mistake.
func TestBecauseIsBounded(t *testing.T) {
	for _, n := range []int{maxCause - 1, maxCause, maxCause + 1, 1 << 20} {
		got := Pass.Because("%s", strings.Repeat("ä", (n+1)/2)[:n]).Cause()
		if n <= maxCause && len(got) != n || n > maxCause && (len(got) > maxCause+len("…") || !strings.HasSuffix(got, "ä…")) {
			t.Errorf("%d octets are %d: …%q", n, len(got), got[len(got)-6:])
		}
	}
}

func TestVerdictAnd(t *testing.T) {
	two := Pass.And(Pass)
	for name, say := range map[string]func(){
		"a third":         func() { two.And(Pass) },
		"a third, inside": func() { Pass.And(two) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it is lost without a word")
				}
			}()
			say()
		})
	}
	if v := Asks().Later(answer(Pass)).And(Asks().Later(answer(Pass)).Monitored()); v.Work() == nil || !v.Also().OnlyMonitors() {
		t.Errorf("two questions of a hook: %+v", v)
	}
}

func answer(v Verdict) func(context.Context) (Verdict, error) {
	return func(context.Context) (Verdict, error) { return v, nil }
}

func TestFieldOctets(t *testing.T) {
	for _, f := range []Field{{Name: "A", Value: "b"}, {Name: "A", Value: "b\n c", Unspaced: true}, {Name: "A"}} {
		if want := len(f.Name + ":" + f.Text() + "\r\n"); f.Octets() != want {
			t.Errorf("%+v has %d octets, want %d", f, f.Octets(), want)
		}
	}
	if got := (Field{Value: "x"}).Text(); got != " x" {
		t.Errorf("%q", got)
	}
	if got := (Field{Value: "x", Unspaced: true}).Text(); got != "x" {
		t.Errorf("%q", got)
	}
}

func TestAnswerRefuses(t *testing.T) {
	refusal := Object(&Reply{Code: 550, Enhanced: "5.7.1", Text: "No"}).Line(&Reply{Code: 550, Enhanced: "5.7.1", Text: "No"}, Enforce)
	if (Answer{}).Refuses() || !(Answer{Line: refusal}).Refuses() {
		t.Error("only an answer with a line refuses")
	}
	if (Line{}).String() != "" || refusal.Code() != 550 || refusal.Enhanced() != "5.7.1" || refusal.Text() != "No" {
		t.Errorf("%q", refusal)
	}
}

func TestLineEnding(t *testing.T) {
	long := Line{550, "5.7.1", strings.Repeat("x", 500)}
	for _, c := range []struct{ name, help, id, suffix string }{
		{"nothing", "", "", ""},
		{"id", "", "mw-1", " [mw-1]"},
		{"help", "https://h.example", "", " - https://h.example"},
		{"both", "https://h.example", "mw-1", " - https://h.example [mw-1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, want := (Line{550, "5.7.1", "No"}).Ending(c.help, c.id).String(), "550 5.7.1 No"+c.suffix; got != want {
				t.Errorf("%q, want %q", got, want)
			}
			cut := long.Ending(c.help, c.id).String()
			if len(cut) != maxLine || !strings.HasSuffix(cut, "x"+c.suffix) {
				t.Errorf("%d octets, the end is %q", len(cut), cut[len(cut)-40:])
			}
			whole := Line{550, "5.7.1", strings.Repeat("x", maxLine-len("550 5.7.1 ")-len(c.suffix))}
			if got := whole.Ending(c.help, c.id).String(); got != whole.String()+c.suffix {
				t.Errorf("what fits exactly became %d octets", len(got))
			}
		})
	}
}

func TestLineKeepOpen(t *testing.T) {
	for code, want := range map[int]int{421: 451, 521: 550, 550: 550, 451: 451} {
		if got := (Line{code: code}).KeepOpen().Code(); got != want {
			t.Errorf("%d becomes %d, want %d", code, got, want)
		}
	}
}

func TestTemporary(t *testing.T) {
	for _, c := range []struct {
		code     int
		enhanced string
		want     Line
	}{
		{550, "5.7.1", Line{451, "4.7.1", ""}},
		{535, "5.7.8", Line{454, "4.7.8", ""}},
		{421, "4.7.0", Line{421, "4.7.0", ""}},
		{499, "4.7.0", Line{499, "4.7.0", ""}},
		{500, "5.5.2", Line{451, "4.5.2", ""}},
	} {
		if code, enhanced := temporary(c.code, c.enhanced); code != c.want.code || enhanced != c.want.enhanced {
			t.Errorf("%d %s becomes %d %s, want %d %s", c.code, c.enhanced, code, enhanced, c.want.code, c.want.enhanced)
		}
	}
}

// What lies just on and just beyond a limit.
func TestReplyLimits(t *testing.T) {
	for _, c := range []struct {
		code     int
		enhanced string
		valid    bool
	}{
		{400, "4.0.0", true},
		{399, "3.0.0", false},
		{599, "5.999.999", true},
		{600, "6.0.0", false},
		{550, "5.0.0", true},
		{550, "5.-1.0", false},
		{550, "5.1000.0", false},
	} {
		r := Reply{ID: "x", Row: "P1", Code: c.code, Enhanced: c.enhanced, Text: strings.Repeat("x", maxRemote)}
		if err := r.Validate(); (err == nil) != c.valid {
			t.Errorf("%d %s: %v", c.code, c.enhanced, err)
		}
	}
	declared := &Reply{ID: "x", Code: 550, Enhanced: "5.7.1", Text: "No"}
	for own, want := range map[int]int{399: 550, 400: 400, 599: 599, 600: 550} {
		if got := Object(declared).Code(own, "").Line(declared, Enforce).Code(); got != want {
			t.Errorf("an entry's code %d becomes %d, want %d", own, got, want)
		}
	}
}

func TestCleanLimits(t *testing.T) {
	whole := strings.Repeat("x", maxRemote)
	for text, want := range map[string]bool{
		whole: true, whole + "x": false, "a b": true, "a  b": false, " a": false, "a ": false, "~": true, "\x7f": false, "\x1f": false, "[": false, "]": false,
	} {
		if got := isClean(text); got != want {
			t.Errorf("%q is clean: %v", text, got)
		}
	}
	if got := Clean(whole + "x"); got != whole {
		t.Errorf("cut to %d octets", len(got))
	}
	if got := Clean(strings.Repeat("x", maxRemote-1) + " y"); len(got) != maxRemote-1 {
		t.Errorf("%d octets: %q", len(got), got[maxRemote-5:])
	}
}
