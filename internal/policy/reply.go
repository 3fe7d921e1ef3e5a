package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// Reply declares one answer that mailweir can give. It is declared once, by its check; the wire,
// the log, the metrics, the catalogue and the documentation all read that declaration.
type Reply struct {
	// ID names the reply in files, logs and metrics: lower case, words joined by hyphens.
	ID string
	// Row is the row of the reply in the table of policies, such as "P18".
	Row string
	// Code is the reply code of RFC 5321 section 4.2: 4yz or 5yz.
	Code int
	// Enhanced is the enhanced status code of RFC 3463; its class equals the class of Code.
	Enhanced string
	// Text is what the client reads. {name} stands for the argument of that name.
	Text string
	// Args names the arguments of Text in the order in which [Object] takes them.
	Args []string
	// Offence is what the client has done who reads this.
	Offence Offence
	// Description tells the administrator what happened.
	Description string
	// Resolution tells what the sender or the administrator can do.
	Resolution string
	// Advice is one sentence to the sender, to be pasted into an answer to him: what he can do. It
	// names nothing that is ours alone, and has the placeholders of [Lift].
	Advice string
	// Lifts are the ways to let such mail pass, the best one first, besides permits.
	Lifts []Lift
}

// Limits of a reply line. RFC 5321 section 4.5.3.1.5 allows 512 octets with CRLF; Sendmail inserts
// the recipient's address, so a line of ours keeps well below.
const (
	maxLine   = 400 // octets of a whole reply line, without CRLF
	maxRemote = 200 // octets of one argument that untrusted clients chose
)

// Validate reports what Postfix or Sendmail would refuse or mangle in the declaration: a code
// outside 4yz and 5yz, an enhanced code that is malformed or of another class (Postfix answers such
// a reply with its own 451 4.3.5), text that is not printable ASCII, too long, or has square
// brackets (they enclose the event's id).
func (r *Reply) Validate() error {
	if r.ID == "" || strings.Trim(r.ID, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("reply %q: an id is made of lower-case letters, digits and hyphens", r.ID)
	}
	if r.Code < 400 || r.Code > 599 {
		return fmt.Errorf("reply %s: code %d is neither 4yz nor 5yz", r.ID, r.Code)
	}
	if err := validEnhanced(r.Enhanced); err != nil {
		return fmt.Errorf("reply %s: %w", r.ID, err)
	}
	if int(r.Enhanced[0]-'0') != r.Code/100 {
		return fmt.Errorf("reply %s: enhanced code %s is not of the class of %d", r.ID, r.Enhanced, r.Code)
	}
	if strings.TrimSpace(r.Text) == "" || Clean(r.Text) != r.Text {
		return fmt.Errorf("reply %s: text %q must be printable ASCII of 1 to %d octets, single spaces, without square brackets", r.ID, r.Text, maxRemote)
	}
	return r.validatePlaceholders()
}

func (r *Reply) validatePlaceholders() error {
	rest := r.Text
	for {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			return nil
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return fmt.Errorf("reply %s: text %q has a { without its }", r.ID, r.Text)
		}
		if r.arg(name) < 0 {
			return fmt.Errorf("reply %s: text has {%s}, but the reply knows %s", r.ID, name, r.knownArgs())
		}
		rest = tail
	}
}

func (r *Reply) arg(name string) int {
	for i, a := range r.Args {
		if a == name {
			return i
		}
	}
	return -1
}

func (r *Reply) knownArgs() string {
	if len(r.Args) == 0 {
		return "no placeholders"
	}
	return "only {" + strings.Join(r.Args, "}, {") + "}"
}

// validEnhanced checks the syntax of RFC 3463 section 2: class "." subject "." detail, without
// leading zeros.
func validEnhanced(s string) error {
	parts := strings.Split(s, ".")
	ok := len(parts) == 3 && (parts[0] == "4" || parts[0] == "5")
	for _, p := range parts {
		n, err := strconv.Atoi(p)
		ok = ok && err == nil && n >= 0 && len(p) <= 3 && strconv.Itoa(n) == p
	}
	if !ok {
		return fmt.Errorf("enhanced code %q is not of the form 4.y.z or 5.y.z", s)
	}
	return nil
}

// fill puts the arguments into the text, and reports whether none that it needs is empty after
// cleaning.
func (r *Reply) fill(args []string) (string, bool) {
	if len(r.Args) == 0 {
		return r.Text, true
	}
	text, whole := r.Text, true
	for i, name := range r.Args {
		value := ""
		if i < len(args) {
			value = Clean(args[i])
		}
		whole = whole && (value != "" || !strings.Contains(text, "{"+name+"}"))
		text = strings.ReplaceAll(text, "{"+name+"}", braces.Replace(value))
	}
	return strings.Join(strings.Fields(text), " "), whole
}

// braces keeps an untrusted client's braces from reading as placeholders.
var braces = strings.NewReplacer("{", "(", "}", ")")

// Clean makes a text that untrusted clients chose fit for a reply: printable ASCII, white space
// folded to single spaces, no square brackets, at most 200 octets. The result can be empty.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	space := false
	for _, r := range s {
		if b.Len() >= maxRemote {
			break
		}
		switch {
		case r == ' ' || r == '\t' || r == '\r' || r == '\n':
			space = b.Len() > 0
			continue
		case r == '[':
			r = '('
		case r == ']':
			r = ')'
		case r < ' ' || r == 0x7f:
			continue
		case r > 0x7f:
			r = '?'
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	text := b.String()
	if len(text) > maxRemote {
		text = text[:maxRemote]
	}
	return strings.TrimSpace(text)
}

func isClean(s string) bool {
	if len(s) > maxRemote || strings.TrimSpace(s) != s || strings.Contains(s, "  ") {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' || s[i] == '[' || s[i] == ']' {
			return false
		}
	}
	return true
}

// Line is a finished reply that every MTA passes on unchanged. Only the runner makes one, so none
// can be malformed.
type Line struct {
	code     int
	enhanced string
	text     string
}

// Code returns the reply code.
func (l Line) Code() int { return l.code }

// Enhanced returns the enhanced status code.
func (l Line) Enhanced() string { return l.enhanced }

// Text returns what follows the codes.
func (l Line) Text() string { return l.text }

// String returns the line as the client is to read it.
func (l Line) String() string {
	if l.code == 0 {
		return ""
	}
	return strconv.Itoa(l.code) + " " + l.enhanced + " " + l.text
}

// Ending completes the line: "CODE X.Y.Z Text[ - help-url] [id]". A text that is too long is cut;
// the help URL and the id never are.
func (l Line) Ending(helpURL, id string) Line {
	suffix := ""
	if helpURL != "" {
		suffix = " - " + helpURL
	}
	if id != "" {
		suffix += " [" + Clean(id) + "]"
	}
	room := maxLine - len("550 ") - len(l.enhanced) - len(" ") - len(suffix)
	if len(l.text) > room {
		l.text = strings.TrimSpace(l.text[:room])
	}
	l.text += suffix
	return l
}

// temporary returns the reply as mode defer gives it: 451 with the same text, 535 becomes 454 (RFC
// 4954 section 6). A reply that is temporary already stays as it is.
func temporary(code int, enhanced string) (int, string) {
	if code/100 == 4 {
		return code, enhanced
	}
	enhanced = "4" + enhanced[1:]
	if code == 535 {
		return 454, enhanced
	}
	return 451, enhanced
}

// KeepOpen turns the codes that close the connection into ones that do not, for an answer that is
// moved from MAIL to RCPT because only some recipients are enforced: 421 becomes 451, 521 becomes
// 550.
func (l Line) KeepOpen() Line {
	switch l.code {
	case 421:
		l.code = 451
	case 521:
		l.code = 550
	}
	return l
}

// Line builds the reply of an objection under a mode. The effective reply is the declared one as
// --replies has it.
func (v Verdict) Line(effective *Reply, mode Mode) Line {
	code, enhanced := v.codes(effective, mode)
	return Line{code, enhanced, v.text(effective)}
}

// codes are the code and enhanced code of an objection under a mode.
func (v Verdict) codes(effective *Reply, mode Mode) (code int, enhanced string) {
	code, enhanced = effective.Code, effective.Enhanced
	if own := v.own.code; own >= 400 && own <= 599 {
		code = own
	}
	if v.own.enhanced != "" && validEnhanced(v.own.enhanced) == nil {
		enhanced = v.own.enhanced
	}
	if digit := byte('0' + code/100); enhanced[0] != digit { // an entry may give a code alone
		enhanced = string(digit) + enhanced[1:]
	}
	if v.own.deferred || mode == Defer {
		return temporary(code, enhanced)
	}
	return code, enhanced
}

// text is what follows the codes of an objection.
func (v Verdict) text(effective *Reply) string {
	if own := Clean(v.own.text); own != "" {
		return own
	}
	text, ok := effective.fill(v.args)
	if !ok {
		text, _ = v.reply.fill(v.args)
	}
	return text
}

// Shown is what giving the reply says about the client. A temporary answer of ours says nothing,
// unless the reply is declared as temporary: then its cause is what the client does.
func (r *Reply) Shown(f Fate) Offence {
	if f == Refused || f == Deferred && r.Code/100 == 4 {
		return r.Offence
	}
	return NoOffence
}
