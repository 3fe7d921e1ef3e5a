package table

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Verb is what a right-hand side says is to be done. The zero value is none: the list is not one of
// actions.
type Verb uint8

const (
	None   Verb = iota
	OK          // let it pass, as far as this list goes
	Dunno       // stop looking in this list, which has no opinion
	Reject      // refuse permanently
	Defer       // refuse for now
)

var verbNames = [...]string{"", "OK", "DUNNO", "REJECT", "DEFER"}

func (v Verb) String() string { return verbNames[v] }

// Action is a right-hand side that has been read: OK, DUNNO, REJECT [[5.y.z] text], DEFER [[4.y.z]
// text] (access(5)), or 4NN or 5NN [x.y.z] [text]. The case of the verbs does not matter.
type Action struct {
	Verb Verb

	// Code is the reply code given by number, 400 to 599; 0 for REJECT and DEFER, which leave it to
	// the check.
	Code int

	// Enhanced is the enhanced status code (RFC 3463) given before the text, or "". Its class is
	// that of the verb.
	Enhanced string

	// Text is the text given, or "". It can hold remote data where a pattern's $1 was filled in.
	Text string
}

// parseAction reads a value of which only the first octets are the administrator's: what is remote
// can be no more than text.
func parseAction(value string, fixed int) (Action, error) {
	word, text := cutWord(value)
	if len(word) > fixed {
		return Action{}, fmt.Errorf("%q: the first word must not be filled in", word)
	}
	a := Action{Text: text}
	switch {
	case strings.EqualFold(word, "OK"):
		a.Verb = OK
	case strings.EqualFold(word, "DUNNO"):
		a.Verb = Dunno
		if text != "" {
			return a, fmt.Errorf("DUNNO takes no text: %q", text)
		}
	case strings.EqualFold(word, "REJECT"):
		a.Verb = Reject
	case strings.EqualFold(word, "DEFER"):
		a.Verb = Defer
	case isReplyCode(word):
		a.Code, _ = strconv.Atoi(word)
		a.Verb = Reject
		if word[0] == '4' {
			a.Verb = Defer
		}
	case isPostfixAction(word):
		return a, fmt.Errorf("the action %s is Postfix's own; leave the entry there, in a check_*_access of smtpd_*_restrictions", word)
	default:
		return a, fmt.Errorf("unknown action %q: want OK, DUNNO, REJECT [text], DEFER [text], or a reply such as 550 5.7.1 text", word)
	}
	if a.Verb != Reject && a.Verb != Defer {
		return a, nil
	}
	enhanced, rest := cutWord(text)
	if !isEnhanced(enhanced) || len(value)-len(text)+len(enhanced) > fixed {
		return a, nil
	}
	class := byte('5')
	if a.Verb == Defer {
		class = '4'
	}
	if enhanced[0] != class {
		return a, fmt.Errorf("enhanced code %s after %s: its class must be %c", enhanced, word, class)
	}
	a.Enhanced, a.Text = enhanced, rest
	return a, nil
}

// isPostfixAction knows what else access(5) can do, which is more than to refuse.
func isPostfixAction(word string) bool {
	switch strings.ToUpper(word) {
	case "BCC", "DEFER_IF_PERMIT", "DEFER_IF_REJECT", "DISCARD", "FILTER", "HOLD", "INFO", "PREPEND", "REDIRECT", "WARN":
		return true
	}
	return false
}

func cutWord(s string) (word, rest string) {
	i := strings.IndexAny(s, whiteSpace)
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], whiteSpace)
}

// isReplyCode accepts 4yz and 5yz with y from 0 to 5 (RFC 5321 section 4.2).
func isReplyCode(s string) bool {
	return len(s) == 3 && (s[0] == '4' || s[0] == '5') && '0' <= s[1] && s[1] <= '5' && '0' <= s[2] && s[2] <= '9'
}

// isEnhanced accepts class.subject.detail with class 2, 4 or 5 and up to three digits each (RFC
// 3463 section 2).
func isEnhanced(s string) bool {
	if len(s) < 5 || strings.IndexByte("245", s[0]) < 0 || s[1] != '.' {
		return false
	}
	subject, detail, found := strings.Cut(s[2:], ".")
	return found && isNumber(subject) && isNumber(detail)
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 3 && strings.Trim(s, "0123456789") == "" && (s == "0" || s[0] != '0')
}

// Values says which right-hand sides a list may have. Its Name is what makes two the same: a table
// is checked once for each.
type Values struct {
	// Name says what the values are, for errors: "actions", "size limits".
	Name string

	// Check judges one right-hand side; nil allows all. A $1 of a pattern stands in it as "$1".
	Check func(value string) error

	action func(Action) error // set where the values are actions
}

// Actions are the right-hand sides of block lists: OK, DUNNO, REJECT, DEFER and numeric replies.
var Actions = Values{Name: "actions", action: func(a Action) error {
	if a.Verb == OK && a.Text != "" {
		return fmt.Errorf("OK takes no text: %q", a.Text)
	}
	return nil
}}

// Permits are the right-hand sides of permit lists: OK, "OK unverified" (Text is then "unverified")
// and DUNNO.
var Permits = Values{Name: "permits", action: func(a Action) error {
	switch {
	case a.Verb == Reject || a.Verb == Defer:
		return errors.New("a permit list refuses nothing: want OK, OK unverified or DUNNO")
	case a.Text != "" && !strings.EqualFold(a.Text, "unverified"):
		return fmt.Errorf("OK %s: want OK, OK unverified or DUNNO", a.Text)
	}
	return nil
}}

// Any allows every right-hand side: for lists where only the key counts, and for values that are
// read when used.
var Any = Values{Name: "anything"}

// check judges a right-hand side.
func (v *Values) check(value string, fixed int) error {
	if v.action != nil {
		a, err := parseAction(value, fixed)
		if err != nil {
			return err
		}
		return v.action(a)
	}
	if v.Check != nil {
		return v.Check(value)
	}
	return nil
}
