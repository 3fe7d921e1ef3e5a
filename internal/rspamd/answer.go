package rspamd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/spamscan"
)

// Bounds of what is read of an answer.
const (
	maxSymbols  = 1000
	maxName     = 200  // of a symbol, an action or a header field
	maxText     = 1000 // for the client
	maxFields   = 100  // to be added, and to be removed
	maxField    = 64 << 10
	maxHeadings = 256 << 10 // all values together
)

// actions are those of rspamd 1.0 to 3.12. Others are the administrator's own.
var actions = map[string]spamscan.Action{
	"no action":       spamscan.Nothing,
	"greylist":        spamscan.Greylist,
	"add header":      spamscan.Tag,
	"rewrite subject": spamscan.Tag,
	"soft reject":     spamscan.Defer,
	"reject":          spamscan.Reject,
	// Nobody holds the mail, and it must not vanish: the sender is to know.
	"quarantine": spamscan.Reject,
	"discard":    spamscan.Reject,
}

// object is a JSON object of which each part is read by itself, so that one of the wrong kind costs
// only itself.
type object map[string]json.RawMessage

// Parse reads an answer to /checkv2. Without an action nothing is known, and that is an error;
// whatever else is missing or of the wrong kind is left out.
func Parse(text []byte) (spamscan.Answer, error) {
	var whole object
	if err := json.Unmarshal(text, &whole); err != nil {
		if err := json.Unmarshal(withoutNaN(text), &whole); err != nil {
			return spamscan.Answer{}, fmt.Errorf("its answer is no JSON object: %w", err)
		}
	}
	said := strings.ToLower(whole.text("action", maxName))
	if said == "" {
		if message := whole.text("error", maxText); message != "" {
			return spamscan.Answer{}, &spamscan.AnsweredError{Said: message}
		}
		return spamscan.Answer{}, errors.New("its answer names no action")
	}
	action, known := actions[said]
	if !known {
		action = spamscan.Other
	}
	a := spamscan.Answer{Action: action, Said: said, Score: whole.number("score"), Required: whole.number("required_score")}
	a.Symbols = symbols(whole.object("symbols"))
	a.Text = whole.object("messages").text("smtp_message", maxText)
	block := whole.object("milter")
	a.Remove = removals(block.object("remove_headers"))
	a.Add = additions(block.object("add_headers"))
	a.Left = left(whole, block, &a)
	return a, nil
}

// failure is what an answer other than 200 says.
func failure(status string, text []byte) string {
	var whole object
	if json.Unmarshal(text, &whole) == nil {
		if message := whole.text("error", maxText); message != "" {
			return spamscan.OneLine(status, maxName) + ": " + message
		}
	}
	return spamscan.OneLine(status, maxName)
}

func (o object) object(name string) (part object) {
	if json.Unmarshal(o[name], &part) != nil {
		return nil
	}
	return part
}

// text is a text in one line, "" if there is none.
func (o object) text(name string, most int) string {
	text, _ := asText(o[name])
	return spamscan.OneLine(text, most)
}

func (o object) number(name string) float64 { return asNumber(o[name]) }

func asText(raw json.RawMessage) (text string, ok bool) {
	ok = len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) == nil
	return text, ok
}

// asNumber is a number, NaN if it is none: nothing is higher or lower than that.
func asNumber(raw json.RawMessage) float64 {
	var n *float64
	if json.Unmarshal(raw, &n) != nil || n == nil {
		return math.NaN()
	}
	return *n
}

// names are the names of an object's parts, in an order of their own.
func (o object) names() []string {
	list := make([]string, 0, len(o))
	for name := range o {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func symbols(all object) (list []spamscan.Symbol) {
	for _, name := range all.names() {
		var one object
		clean := spamscan.OneLine(name, maxName)
		if json.Unmarshal(all[name], &one) != nil || clean == "" || len(list) == maxSymbols {
			continue
		}
		list = append(list, spamscan.Symbol{Name: clean, Score: one.number("score")})
	}
	return list
}

// removals reads {"NAME": 1, "OTHER": [1, -1]}.
func removals(all object) (list []spamscan.Removal) {
	for _, name := range all.names() {
		for _, raw := range each(all[name]) {
			n := asNumber(raw)
			if n != math.Trunc(n) || math.Abs(n) > math.MaxInt32 || !fieldName(name) || len(list) == maxFields {
				continue
			}
			list = append(list, spamscan.Removal{Name: name, Nth: int(n)})
		}
	}
	return list
}

// additions reads {"NAME": "value", "OTHER": {"value": "x", "order": 1}} and lists of both.
func additions(all object) (list []spamscan.Field) {
	room := maxHeadings
	for _, name := range all.names() {
		for _, raw := range each(all[name]) {
			f, ok := addition(name, raw)
			if !ok || len(f.Value) > min(room, maxField) || !fieldName(name) || len(list) == maxFields {
				continue
			}
			room -= len(f.Value)
			list = append(list, f)
		}
	}
	return list
}

func addition(name string, raw json.RawMessage) (f spamscan.Field, ok bool) {
	f.Name = name
	if f.Value, ok = asText(raw); ok {
		return f, true
	}
	var one object
	if json.Unmarshal(raw, &one) != nil {
		return f, false
	}
	f.Value, ok = asText(one["value"])
	for _, word := range []string{"order", "index"} {
		if n := one.number(word); math.Abs(n) <= math.MaxInt32 {
			f.Ordered, f.Order = true, int(n)
			break
		}
	}
	return f, ok
}

// each is what a list has, or the one thing that stands for it.
func each(raw json.RawMessage) (list []json.RawMessage) {
	if json.Unmarshal(raw, &list) == nil && list != nil {
		return list
	}
	return []json.RawMessage{raw}
}

// fieldName reports whether a name may be that of a header field (RFC 5322 section 2.2).
func fieldName(name string) bool {
	return name != "" && len(name) <= maxName && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == ':' || r >= 0x7f })
}

// left names what rspamd asked for and does not get, and what was beyond a bound.
func left(whole, block object, a *spamscan.Answer) (list []string) {
	for _, name := range []string{"add_rcpt", "del_rcpt", "change_from", "body", "reject", "no_action", "spam_header"} {
		if _, asked := block[name]; asked {
			list = append(list, name)
		}
	}
	if a.Said == "rewrite subject" {
		list = append(list, "subject")
	}
	for _, part := range []struct {
		name  string
		asked int
		read  int
	}{
		{"symbols", len(whole.object("symbols")), len(a.Symbols)},
		{"remove_headers", count(block.object("remove_headers")), len(a.Remove)},
		{"add_headers", count(block.object("add_headers")), len(a.Add)},
	} {
		if n := part.asked - part.read; n > 0 {
			list = append(list, strconv.Itoa(n)+" of "+part.name)
		}
	}
	return list
}

func count(all object) (n int) {
	for _, raw := range all {
		n += len(each(raw))
	}
	return n
}

// withoutNaN replaces what libucl writes for numbers that JSON has no words for.
func withoutNaN(text []byte) []byte {
	out := make([]byte, 0, len(text))
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\' && i+1 < len(text):
			out = append(out, c, text[i+1])
			i++
			continue
		case c == '"':
			quoted = !quoted
		case !quoted:
			if n := notANumber(text[i:]); n > 0 {
				out = append(out, "null"...)
				i += n - 1
				continue
			}
		}
		out = append(out, text[i])
	}
	return out
}

// notANumber is the length of such a word at the beginning of the text, 0 if there is none.
func notANumber(text []byte) int {
	for _, word := range []string{"-nan", "nan", "-inf", "inf", "NaN", "-Infinity", "Infinity"} {
		if bytes.HasPrefix(text, []byte(word)) {
			return len(word)
		}
	}
	return 0
}
