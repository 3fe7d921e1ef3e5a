package rbl

import (
	"strings"

	"mailweir/internal/dns"
)

// maxReason bounds a list's text in a reply, in octets.
const maxReason = 200

// reason is the text for a reply: the list's own, else its look-up page, else its name.
func (li *list) reason(txt *dns.Answer, subject string) string {
	if txt != nil {
		for _, text := range txt.Texts {
			if text = cut(redact(Clean(text), li.zone, li.wire)); text != "" {
				return text
			}
		}
	}
	if li.info != nil && li.info.page != "" {
		return cut(Clean(strings.ReplaceAll(li.info.page, "$client", subject)))
	}
	return li.zone
}

// redacted is a TXT answer that can be shown: a list may repeat the name that it was asked for.
func (li *list) redacted(a *dns.Answer) dns.Answer {
	shown := *a
	if li.wire != nil {
		shown.Texts = make([]string, len(a.Texts))
		for i, text := range a.Texts {
			shown.Texts[i] = redact(Clean(text), li.zone, li.wire)
		}
	}
	return shown
}

// Clean makes remote text fit for an SMTP reply: printable ASCII, white space and anything else
// become single spaces, [ ] become ( ). It does not shorten.
func Clean(text string) string {
	var b strings.Builder
	space := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c <= ' ' || c >= 0x7f {
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		switch c {
		case '[':
			c = '('
		case ']':
			c = ')'
		}
		b.WriteByte(c)
	}
	return b.String()
}

// cut shortens a clean text, at a space if one is near.
func cut(text string) string {
	if len(text) <= maxReason {
		return text
	}
	text = text[:maxReason]
	if at := strings.LastIndexByte(text, ' '); at > maxReason-40 {
		text = text[:at]
	}
	return strings.TrimRight(text, " ")
}
