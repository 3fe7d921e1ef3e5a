package address

import "strings"

// SenderKey is the address, as a sender, without what changes from one mail, or one attempt, to the
// next: the numbers of bounce addresses (VERP), and the tags of BATV and SRS. The null sender is
// "<>".
func (a Address) SenderKey() string {
	if a.IsNull() {
		return "<>"
	}
	a.Local = plainNumbers(plainSRS(PlainBATV(a.Local)))
	return a.Key()
}

// plainSRS takes hash and day out of a rewritten sender (libsrs2, "The Sender Rewriting Scheme"):
// SRS0=HASH=TT=domain=user, SRS1=HASH=forwarder==HASH=TT=domain=user; the first separator may be +
// or -, too.
func plainSRS(local string) string {
	kind, rest := local[:min(4, len(local))], local[min(5, len(local)):]
	if kind != "srs0" && kind != "srs1" || len(local) < 5 || strings.IndexByte("=+-", local[4]) < 0 {
		return local
	}
	forwarder := ""
	if kind == "srs1" {
		parts := strings.SplitN(rest, "=", 3)
		if len(parts) != 3 || len(parts[2]) < 2 {
			return local
		}
		forwarder, rest = parts[1]+"=", parts[2][1:]
	}
	parts := strings.SplitN(rest, "=", 4)
	if len(parts) != 4 {
		return local
	}
	return kind + "=" + forwarder + parts[2] + "=" + parts[3]
}

// tokenLength is from how many letters and digits on a word with several digits is taken for a
// number or a key.
const tokenLength = 8

// plainNumbers writes # for what counts or identifies in a bounce address: a long word of letters
// and digits as a whole, of other words the digits.
func plainNumbers(local string) string {
	if !strings.ContainsAny(local, "0123456789") {
		return local
	}
	var b strings.Builder
	for len(local) > 0 {
		n, digits := 0, 0
		for n < len(local) && isWord(local[n]) {
			if isDigit(local[n]) {
				digits++
			}
			n++
		}
		switch {
		case n == 0:
			b.WriteByte(local[0])
			n = 1
		case n >= tokenLength && digits >= 2:
			b.WriteByte('#')
		default:
			plainDigits(&b, local[:n])
		}
		local = local[n:]
	}
	return b.String()
}

// plainDigits writes # for each run of digits.
func plainDigits(b *strings.Builder, word string) {
	for i := range len(word) {
		switch {
		case !isDigit(word[i]):
			b.WriteByte(word[i])
		case i == 0 || !isDigit(word[i-1]):
			b.WriteByte('#')
		}
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWord(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
