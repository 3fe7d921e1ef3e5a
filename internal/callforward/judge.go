package callforward

import (
	"slices"
	"strings"
)

// verdict is what an answer says of the recipient.
type verdict int

const (
	unclear   verdict = iota // it speaks of something else, or for a time only
	exists                   // the server would take mail for it
	missing                  // there is no such recipient
	bare                     // refused without an enhanced code: missing, or nothing known
	uncertain                // 252: it would take the mail, without knowing
)

// speaksOfRecipient are the enhanced codes of a recipient that does not exist (RFC 3463 sections
// 3.2 and 3.3; 5.1.10 is of RFC 7505, and Exchange's): bad mailbox, bad system, bad syntax, moved
// without a forwarding address, no such recipient; mailbox disabled.
var speaksOfRecipient = []string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}

// judge reads the reply to RCPT. The reply code alone says little: servers refuse a recipient by
// 550 because they do not know him, and by 550 because they do not like us. So the enhanced code
// decides (RFC 2034). 521 and 530 are about the connection (RFC 7504, RFC 4954), whatever
// stands behind them.
func (r reply) judge() verdict {
	enhanced, known := r.enhanced()
	switch {
	case !known:
		return unclear
	case r.code == 252:
		return uncertain
	case r.positive():
		// A code of RCPT is 250 or 251 (RFC 5321 section 4.3.2); of any other the first digit
		// decides (section 4.2.1).
		return orUnclear(exists, enhanced == "" || enhanced[0] == '2')
	case r.code/100 != 5 || r.code == 521 || r.code == 530:
		return unclear
	case slices.Contains(speaksOfRecipient, enhanced):
		return missing
	case enhanced == "5.4.1":
		// Exchange Online: "Recipient address rejected: Access denied".
		return orUnclear(missing, r.code == 550)
	case enhanced == "":
		return orUnclear(bare, r.code == 550 || r.code == 551 || r.code == 553)
	}
	return unclear
}

func orUnclear(v verdict, holds bool) verdict {
	if holds {
		return v
	}
	return unclear
}

// enhanced returns the enhanced code that the lines have in common, "" if none has one; false if
// they have different ones. Servers in the manner of qmail write it last, as (#5.1.1).
func (r reply) enhanced() (code string, ok bool) {
	for _, line := range r.lines {
		is := enhancedOf(line)
		if is == "" {
			continue
		}
		if code != "" && code != is {
			return "", false
		}
		code = is
	}
	return code, true
}

func enhancedOf(line string) string {
	word, _, _ := strings.Cut(line, " ")
	if isEnhanced(word) {
		return word
	}
	if _, behind, ok := strings.Cut(line, "(#"); ok {
		if word, _, ok := strings.Cut(behind, ")"); ok && isEnhanced(word) {
			return word
		}
	}
	return ""
}

// isEnhanced says that a word has the form of RFC 3463 section 2.
func isEnhanced(word string) bool {
	parts := strings.Split(word, ".")
	if len(parts) != 3 || len(parts[0]) != 1 || !strings.Contains("245", parts[0]) {
		return false
	}
	for _, part := range parts {
		if len(part) < 1 || len(part) > 3 || strings.ContainsFunc(part, func(c rune) bool { return c < '0' || c > '9' }) {
			return false
		}
	}
	return true
}
