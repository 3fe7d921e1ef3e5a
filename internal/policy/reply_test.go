package policy

import (
	"strings"
	"testing"
)

func TestReplyValidate(t *testing.T) {
	good := Reply{ID: "x-1", Row: "P1", Code: 550, Enhanced: "5.7.1", Text: "Blocked - see {list}", Args: []string{"list"}}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(*Reply)
		want   string
	}{
		"id":                {func(r *Reply) { r.ID = "X" }, "an id is made of"},
		"code":              {func(r *Reply) { r.Code = 250 }, "neither 4yz nor 5yz"},
		"enhanced":          {func(r *Reply) { r.Enhanced = "5.7" }, "not of the form"},
		"enhanced, zero":    {func(r *Reply) { r.Enhanced = "5.07.1" }, "not of the form"},
		"enhanced, long":    {func(r *Reply) { r.Enhanced = "5.7.1000" }, "not of the form"},
		"class":             {func(r *Reply) { r.Enhanced = "4.7.1" }, "not of the class of 550"},
		"empty":             {func(r *Reply) { r.Text = " " }, "must be printable ASCII"},
		"brackets":          {func(r *Reply) { r.Text = "[x]" }, "without square brackets"},
		"two lines":         {func(r *Reply) { r.Text = "a\r\nb" }, "must be printable ASCII"},
		"too long":          {func(r *Reply) { r.Text = strings.Repeat("x", 201) }, "1 to 200 octets"},
		"not ASCII":         {func(r *Reply) { r.Text = "größer" }, "printable ASCII"},
		"open placeholder":  {func(r *Reply) { r.Text = "{list" }, "without its }"},
		"other placeholder": {func(r *Reply) { r.Text = "{zone}" }, "knows only {list}"},
		"no placeholders":   {func(r *Reply) { r.Text, r.Args = "{zone}", nil }, "knows no placeholders"},
	} {
		t.Run(name, func(t *testing.T) {
			r := good
			tt.change(&r)
			if err := r.Validate(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	list := &Reply{ID: "x", Code: 550, Enhanced: "5.7.1", Text: "{zone} Blocked - see {text}", Args: []string{"zone", "text"}}
	other := &Reply{ID: "x", Code: 554, Enhanced: "5.7.9", Text: "Listed: {text}", Args: list.Args}
	for name, tt := range map[string]struct {
		verdict   Verdict
		effective *Reply
		mode      Mode
		want      string
	}{
		"declared":                {Object(list, "z.example", "http://z"), list, Enforce, "550 5.7.1 z.example Blocked - see http://z"},
		"cleaned":                 {Object(list, "z", "a\r\n[b]\x00 {zone} ü"), list, Enforce, "550 5.7.1 z Blocked - see a (b) (zone) ?"},
		"without its argument":    {Object(list, "z", "\x00"), list, Enforce, "550 5.7.1 z Blocked - see"},
		"overridden":              {Object(list, "z", "t"), other, Enforce, "554 5.7.9 Listed: t"},
		"overridden, no argument": {Object(list, "z"), other, Enforce, "554 5.7.9 z Blocked - see"},
		"entry's text":            {Object(list, "z", "t").Text("go away"), other, Enforce, "554 5.7.9 go away"},
		"entry's text is nothing": {Object(list, "z", "t").Text("\r\n"), list, Enforce, "550 5.7.1 z Blocked - see t"},
		"entry's reply":           {Object(list, "z", "t").Code(521, "5.7.2").Text("go"), list, Enforce, "521 5.7.2 go"},
		"entry's code alone":      {Object(list, "z", "t").Code(421, "").Text("go"), list, Enforce, "421 4.7.1 go"},
		"entry's enhanced alone":  {Object(list, "z", "t").Code(0, "5.1.1").Text("go"), list, Enforce, "550 5.1.1 go"},
		"entry of two classes":    {Object(list, "z", "t").Code(450, "5.7.1").Text("go"), list, Enforce, "450 4.7.1 go"},
		"no code at all":          {Object(list, "z", "t").Code(7, "x").Text("go"), list, Enforce, "550 5.7.1 go"},
		"entry defers":            {Object(list, "z", "t").Deferred().Text("later"), list, Enforce, "451 4.7.1 later"},
		"mode defer":              {Object(list, "z", "t"), list, Defer, "451 4.7.1 z Blocked - see t"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.verdict.Line(tt.effective, tt.mode).Ending("", "").String(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "a  b", "[x]\r\n\t", "\x00\x7f", "ü\xff", strings.Repeat("a b", 100), " \x01 "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := Clean(s)
		if !isClean(text) {
			t.Fatalf("%q is not clean", text)
		}
		if again := Clean(text); again != text {
			t.Fatalf("cleaned twice: %q, then %q", text, again)
		}
	})
}

func FuzzLine(f *testing.F) {
	f.Add(550, "5.7.1", "own", "arg", "mw-1")
	f.Add(0, "", "", "{what}", "[]")
	f.Add(421, "9.9.9", strings.Repeat("x", 500), strings.Repeat("[", 500), "\n")
	f.Fuzz(func(t *testing.T, code int, enhanced, own, arg, id string) {
		r := &Reply{ID: "x", Code: 550, Enhanced: "5.7.1", Text: "see {what}", Args: []string{"what"}}
		for _, mode := range []Mode{Enforce, Defer} {
			v := Object(r, arg).Code(code, enhanced).Text(own)
			wellFormed(t, v.Line(r, mode).Ending("https://ours.example/"+strings.Repeat("h", 99), id))
		}
	})
}

// wellFormed holds a line against section 3 of the specification.
func wellFormed(t *testing.T, l Line) {
	if l.code == 0 {
		return
	}
	text := l.String()
	switch {
	case len(text) > maxLine:
		t.Fatalf("%d octets: %q", len(text), text)
	case l.code < 400 || l.code > 599:
		t.Fatalf("code of %q", text)
	case validEnhanced(l.enhanced) != nil || int(l.enhanced[0]-'0') != l.code/100:
		t.Fatalf("enhanced code of %q", text)
	case strings.TrimSpace(l.text) == "":
		t.Fatalf("no text in %q", text)
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			t.Fatalf("octet %#x in %q", text[i], text)
		}
	}
	if n := strings.Count(text, "["); n > 1 || n != strings.Count(text, "]") {
		t.Fatalf("brackets in %q", text)
	}
}
