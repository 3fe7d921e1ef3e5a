package dialog

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	placeholder = regexp.MustCompile(`\[(ID\d*)\]|<queue-id>`)
	// inserts matches the replies into which Sendmail puts the address.
	inserts  = regexp.MustCompile(`^((?:450|550|553) [45]\.\d{1,3}\.\d{1,3} )(.*)$`)
	envelope = regexp.MustCompile(`(?i)^(?:MAIL FROM|RCPT TO): *(<[^>]*>)`)
)

// match compares a reply with what a dialog expects, and returns the event ids
// found at the placeholders. A line that ends in " ..." leaves the rest of the
// reply open, further lines too.
func match(want, got string) (ids map[string]string, ok bool) {
	expression, names := compile(want)
	m := regexp.MustCompile(expression).FindStringSubmatch(got)
	if m == nil {
		return nil, false
	}
	ids = make(map[string]string)
	for i, name := range names {
		ids[name] = m[i+1]
	}
	return ids, true
}

// compile turns an expected reply into a regular expression; names are those of
// its groups.
func compile(want string) (expression string, names []string) {
	body, open := strings.CutSuffix(want, " ...")
	var b strings.Builder
	b.WriteString(`\A`)
	for {
		at := placeholder.FindStringSubmatchIndex(body)
		if at == nil {
			break
		}
		b.WriteString(regexp.QuoteMeta(body[:at[0]]))
		if at[2] >= 0 {
			names = append(names, body[at[2]:at[3]])
			b.WriteString(`\[(mw-[0-9A-Za-z]+)\]`)
		} else {
			b.WriteString(`[0-9A-Za-z]+`)
		}
		body = body[at[1]:]
	}
	b.WriteString(regexp.QuoteMeta(body))
	if open {
		b.WriteString(`(?s:[ \n-].*)?`)
	}
	b.WriteString(`\z`)
	return b.String(), names
}

// asSendmail gives the reply that Sendmail sends where a milter answered want to
// command: after 450, 550 and 553 with an enhanced code, to MAIL and RCPT, it
// puts the address before the text. Lines that leave the text open stay.
func asSendmail(want, command string) string {
	address := envelope.FindStringSubmatch(command)
	m := inserts.FindStringSubmatch(want)
	if address == nil || m == nil || m[2] == "..." {
		return want
	}
	return fmt.Sprintf("%s%s... %s", m[1], address[1], m[2])
}
