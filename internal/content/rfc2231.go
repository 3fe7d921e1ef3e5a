package content

import (
	"cmp"
	"slices"
	"strings"

	"mailweir/internal/charset"
	"mailweir/internal/transfer"
)

// maxSection is the highest number of a section; nobody writes as many, and none is longer than a
// field.
const maxSection = 1 << 16

// name2231 splits `name*3*` into its base, its number (-1 without) and whether the value is
// percent-encoded (RFC 2231 section 4).
func name2231(name string) (base string, number int, extended bool) {
	base, extended = strings.CutSuffix(name, "*")
	star := strings.LastIndexByte(base, '*')
	if star < 0 {
		return base, -1, extended
	}
	number = 0
	for _, c := range base[star+1:] {
		if c < '0' || c > '9' || number > maxSection {
			return base, -1, extended
		}
		number = number*10 + int(c-'0')
	}
	return base[:star], number, extended
}

// join2231 puts the sections of a parameter together and decodes them, in each way in which readers
// do: the extended value without a number beside the sections; of two sections of the same number
// the first or the last; only those before one that is missing; all as they stand.
func join2231(list []param) (values []string) {
	var ordered []param
	for _, p := range list {
		if p.number < 0 {
			values = addJoined(values, []param{p})
		} else {
			ordered = append(ordered, p)
		}
	}
	if len(ordered) == 0 {
		return values
	}
	appeared := slices.Clone(ordered)
	slices.SortStableFunc(ordered, func(a, b param) int { return cmp.Compare(a.number, b.number) })
	first := oneOfEach(ordered)
	values = addJoined(values, first)
	values = addJoined(values, ordered) // those of the same number one behind another, as MIME-tools does
	slices.Reverse(ordered)
	last := oneOfEach(ordered)
	slices.Reverse(last)
	values = addJoined(values, last)
	for i := range first {
		if first[i].number != i {
			values = addJoined(values, first[:i])
			break
		}
	}
	return addJoined(values, appeared)
}

func oneOfEach(ordered []param) []param {
	return slices.CompactFunc(slices.Clone(ordered), func(a, b param) bool { return a.number == b.number })
}

// addJoined adds what the sections say: percent-decoded where they say so, nowhere, and everywhere if
// one says so; with the likeliest and the unlikeliest reading of their quotes.
func addJoined(values []string, list []param) []string {
	if len(list) == 0 {
		return values
	}
	for _, pick := range []func([]string) string{likeliest, unlikeliest} {
		var flagged, all, raw strings.Builder
		label, labelled, extended := "", false, false
		for i, p := range list {
			value := pick(p.values)
			raw.WriteString(value)
			if i == 0 && p.extended {
				label, value, labelled = cutLabel(value)
			}
			decoded := percentDecode(value)
			all.WriteString(decoded)
			if p.extended {
				value, extended = decoded, true
			}
			flagged.WriteString(value)
		}
		values = addValue(values, charset.Decode(label, flagged.String()))
		if extended {
			values = addValue(values, charset.Decode(label, all.String()))
		}
		if !labelled {
			values = addValue(values, charset.Decode("", raw.String()))
		}
	}
	return values
}

func likeliest(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func unlikeliest(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// cutLabel takes charset and language off a value (RFC 2231 section 4).
func cutLabel(value string) (label, rest string, ok bool) {
	if parts := strings.SplitN(value, "'", 3); len(parts) == 3 {
		return parts[0], parts[2], true
	}
	return "", value, false
}

// percentDecode undoes %XX; what is no such escape stands for itself.
func percentDecode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if high, low := transfer.Hex(s[i+1]), transfer.Hex(s[i+2]); high >= 0 && low >= 0 {
				b.WriteByte(byte(high<<4 | low))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
