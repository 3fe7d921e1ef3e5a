package rspamd

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/spamscan"
)

// real is an answer of rspamd 3.4, shortened.
const real = `{"is_skipped":false,"score":6.5,"required_score":15.0,"action":"add header","symbols":{` +
	`"RDNS_NONE":{"name":"RDNS_NONE","score":1.0,"metric_score":1.0,"description":"Cannot resolve"},` +
	`"BAD_SUBJECT":{"name":"BAD_SUBJECT","score":5.6,"options":["what it matched"]},` +
	`"MIME_GOOD":{"name":"MIME_GOOD","score":-0.1,"options":["text/plain"]}},` +
	`"messages":{"smtp_message":"Try\r\nless"},"message-id":"a@b","time_real":0.005258,` +
	`"milter":{"remove_headers":{"X-Spam":0},"add_headers":{"X-Spam":{"order":0,"value":"yes"},"X-Old":"plain","X-Two":[{"value":"a"},{"value":"b","index":-3}]},` +
	`"add_rcpt":["x@example.org"],"change_from":"y@example.org"}}`

func TestParse(t *testing.T) {
	a, err := Parse([]byte(real))
	if err != nil {
		t.Fatal(err)
	}
	if want := "add header, score 6.5 of 15: BAD_SUBJECT 5.6, RDNS_NONE 1, MIME_GOOD -0.1; not done: add_rcpt, change_from"; a.String() != want {
		t.Errorf("%s\nwant %s", a.String(), want)
	}
	if a.Action != spamscan.Tag || a.Text != "Try??less" {
		t.Errorf("action %d, text %q", a.Action, a.Text)
	}
	if strings.Contains(fmt.Sprint(a), "what it matched") {
		t.Error("the answer keeps what a rule matched")
	}
	if want := []spamscan.Removal{{Name: "X-Spam"}}; !slices.Equal(a.Remove, want) {
		t.Errorf("remove %v", a.Remove)
	}
	want := []spamscan.Field{
		{Name: "X-Old", Value: "plain"},
		{Name: "X-Spam", Value: "yes", Ordered: true},
		{Name: "X-Two", Value: "a"},
		{Name: "X-Two", Value: "b", Ordered: true, Order: -3},
	}
	if !slices.Equal(a.Add, want) {
		t.Errorf("add %v", a.Add)
	}
}

// Every action of rspamd, and what is made of it.
func TestActions(t *testing.T) {
	for said, want := range map[string]spamscan.Action{
		"no action": spamscan.Nothing, "greylist": spamscan.Greylist, "add header": spamscan.Tag, "rewrite subject": spamscan.Tag,
		"soft reject": spamscan.Defer, "reject": spamscan.Reject, "quarantine": spamscan.Reject, "discard": spamscan.Reject,
		"Reject": spamscan.Reject, "call the police": spamscan.Other,
	} {
		a, err := Parse([]byte(fmt.Sprintf(`{"action":%q}`, said)))
		if err != nil || a.Action != want || a.Said != strings.ToLower(said) {
			t.Errorf("%s: action %d, said %q, %v", said, a.Action, a.Said, err)
		}
	}
}

// What is of the wrong kind costs only itself.
func TestParseTolerates(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`{"action":"reject"}`, "reject"},
		{`{"action":"reject","score":"high","required_score":[],"symbols":"many","messages":7,"milter":true}`, "reject"},
		{`{"action":"reject","score":nan,"required_score":-inf,"symbols":{"A":{"score":nan},"B":{"score":-nan}}}`, "reject: A, B"},
		{`{"action":"reject","score":null,"symbols":{"A \"nan\\":{"score":NaN}}}`, `reject: A "nan\`},
		{`{"action":"reject","score":1e999}`, "reject"},
		{`{"action":"reject","symbols":{"A":1,"B":[],"C":{"score":"x"},"D":null}}`, "reject: C, D; not done: 2 of symbols"},
		{`{"action":"add header","milter":{"remove_headers":{"A":"x","B":1.5,"C D":0,"E":[1,-1,{}],"F":1e18}}}`, "add header; not done: 5 of remove_headers"},
		{`{"action":"add header","milter":{"add_headers":{"A":7,"B":{"value":7},"C: x":"y","":"z","D":null}}}`, "add header; not done: 5 of add_headers"},
		{`{"action":"rewrite subject","subject":"*** SPAM"}`, "rewrite subject; not done: subject"},
		{`{"action":"reject","is_skipped":true}`, "reject"},
		{`{"action":"no action","milter":{"body":"x","reject":"r","no_action":true,"del_rcpt":[]}}`, "no action; not done: del_rcpt, body, reject, no_action"},
	} {
		a, err := Parse([]byte(tt.text))
		if err != nil || a.String() != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.text, a.String(), err, tt.want)
		}
	}
}

// Without an action nothing is known.
func TestParseFails(t *testing.T) {
	for _, text := range []string{
		"", "null", "[]", "7", `"reject"`, "{", `{"action":"reject"`, `{"action":"reject"}}`, `{"action":7}`, `{"action":""}`, `{"action":null}`, `{}`,
		`{"Action":`, "<html>", strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), real[:len(real)-1],
	} {
		if a, err := Parse([]byte(text)); err == nil {
			t.Errorf("%.40q: %v", text, a)
		}
	}
	_, err := Parse([]byte(`{"error":"invalid\ncommand"}`))
	var said *spamscan.AnsweredError
	if !errors.As(err, &said) || said.Said != "invalid?command" {
		t.Errorf("an error: %v", err)
	}
}

// Nothing in an answer is without a bound, and what a bound drops is told.
func TestParseBounds(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"action":"reject","symbols":{`)
	for i := range 1500 {
		fmt.Fprintf(&b, `"S%d":{"score":%d},`, i, i)
	}
	b.WriteString(`"Z":{}},"milter":{"add_headers":{`)
	for i := range 150 {
		fmt.Fprintf(&b, `"X-%d":%q,`, i, strings.Repeat("x", 1000))
	}
	fmt.Fprintf(&b, `"X":%q},"remove_headers":{"Y":[%s1]}}}`, strings.Repeat("x", 100_000), strings.Repeat("1,", 500))
	a, err := Parse([]byte(b.String()))
	if err != nil || len(a.Symbols) != 1000 || len(a.Add) != 100 || len(a.Remove) != 100 {
		t.Errorf("%d symbols, %d fields, %d removals, %v", len(a.Symbols), len(a.Add), len(a.Remove), err)
	}
	if want := []string{"501 of symbols", "401 of remove_headers", "51 of add_headers"}; !slices.Equal(a.Left, want) {
		t.Errorf("left %q", a.Left)
	}
	a, err = Parse([]byte(`{"action":"` + strings.Repeat("x", 10_000) + `","messages":{"smtp_message":"` + strings.Repeat("y", 10_000) + `"}}`))
	if err != nil || len(a.Said) > maxName || len(a.Text) > maxText {
		t.Errorf("an action of %d octets, a text of %d, %v", len(a.Said), len(a.Text), err)
	}
	big := strings.Repeat("v", 60<<10)
	a, err = Parse([]byte(fmt.Sprintf(`{"action":"reject","milter":{"add_headers":{"X":[%[1]q,%[1]q,%[1]q,%[1]q,%[1]q,%[1]q]}}}`, big)))
	if err != nil || len(a.Add) != 4 || !slices.Equal(a.Left, []string{"2 of add_headers"}) {
		t.Errorf("%d large fields, left %q, %v", len(a.Add), a.Left, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(real))
	f.Add([]byte(`{"action":"reject","score":nan,"symbols":{"A":{"score":-inf}},"milter":{"remove_headers":{"E":[1,-1,{}]},"add_headers":{"D":null,"E":["x"]}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := Parse(text)
		if err != nil {
			return
		}
		if a.Said == "" || len(a.Said) > maxName || len(a.Text) > maxText || len(a.Symbols) > maxSymbols || len(a.Add) > maxFields || len(a.Remove) > maxFields {
			t.Errorf("beyond a bound: %v", a)
		}
		if math.IsInf(a.Score, 0) || math.IsInf(a.Required, 0) {
			t.Errorf("scores %v, %v", a.Score, a.Required)
		}
		for _, shown := range []string{a.Whole(), a.Text} {
			if strings.ContainsAny(shown, "\r\n\x00") {
				t.Errorf("more than one line: %q", shown)
			}
		}
		for _, field := range a.Add {
			if !fieldName(field.Name) {
				t.Errorf("a field %q", field.Name)
			}
		}
	})
}
