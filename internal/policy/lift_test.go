package policy

import (
	"regexp"
	"slices"
	"testing"
)

func TestLiftFill(t *testing.T) {
	values := map[string]string{"client": "192.0.2.1", "sender": "a@example.net", "login": ""}
	account := regexp.MustCompile(`^off: (?P<account>\S+)`)
	for name, c := range map[string]struct {
		lift  Lift
		cause string
		words []string // nil: it does not apply
		says  string
	}{
		"filled":                    {Lift{Operation: "x/y", Words: []string{"--from={sender}", "{client}"}, Says: "Lets {sender} pass."}, "", []string{"--from=a@example.net", "192.0.2.1"}, "Lets a@example.net pass."},
		"nothing to fill":           {Lift{Says: "Nothing does."}, "", []string{}, "Nothing does."},
		"an empty value":            {Lift{Words: []string{"--outbound={login}"}, Says: "x"}, "", nil, ""},
		"an unknown one":            {Lift{Says: "Lets {nobody} pass."}, "", nil, ""},
		"of the cause":              {Lift{Words: []string{"{account}"}, Says: "x", Cause: account}, "off: bob by root", []string{"bob"}, "x"},
		"of another cause":          {Lift{Says: "x", Cause: account}, "on: bob", nil, ""},
		"braces that are no name":   {Lift{Says: "{} { } {A} {client}"}, "", []string{}, "{} { } {A} 192.0.2.1"},
		"a value that looks like a": {Lift{Words: []string{"{account}"}, Says: "x", Cause: account}, "off: {sender}", []string{"{sender}"}, "x"},
	} {
		got, ok := c.lift.Fill(values, c.cause)
		if ok != (c.words != nil) || ok && (!slices.Equal(got.Words, c.words) || got.Says != c.says) {
			t.Errorf("%s: %+v, %t", name, got, ok)
		}
	}
	if _, known := values["account"]; known {
		t.Error("the values of the caller have changed")
	}
}

func TestFillAdvice(t *testing.T) {
	r := &Reply{Advice: "Ask about {client}."}
	if got := r.FillAdvice(map[string]string{"client": "192.0.2.1"}); got != "Ask about 192.0.2.1." {
		t.Errorf("advice %q", got)
	}
	if got := r.FillAdvice(nil); got != "" {
		t.Errorf("advice %q without what it needs", got)
	}
}
