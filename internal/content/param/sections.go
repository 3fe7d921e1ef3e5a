package param

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
// do: the extended value without a number for itself, and as the section 0; of two sections of the
// same number the first, the last or both; only those before one that is missing; all as they
// stand.
func join2231(list []param) (values []string) {
	var sections []param
	for i, p := range list {
		if p.number < 0 {
			values = addJoined(values, list[i:i+1])
		} else {
			sections = append(sections, p)
		}
	}
	values = addSections(values, sections)
	if len(list) > 1 && len(sections) < len(list) {
		all := slices.Clone(list)
		for i := range all {
			all[i].number = max(0, all[i].number)
		}
		values = addSections(values, all)
	}
	return values
}

func addSections(values []string, sections []param) []string {
	ordered := slices.Clone(sections)
	slices.SortStableFunc(ordered, func(a, b param) int { return cmp.Compare(a.number, b.number) })
	first := oneOfEach(ordered)
	values = addJoined(values, first)
	if len(first) < len(ordered) {
		values = addJoined(values, ordered)
		sorted := slices.Clone(ordered)
		slices.SortFunc(sorted, func(a, b param) int {
			return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(likeliest(a.values), likeliest(b.values)))
		})
		values = addJoined(values, sorted) // as Python does
	}
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
	return addJoined(values, sections)
}

func oneOfEach(ordered []param) []param {
	return slices.CompactFunc(slices.Clone(ordered), func(a, b param) bool { return a.number == b.number })
}

// addJoined adds what the sections say: percent-decoded where they say so, nowhere, and everywhere
// if one says so; with the likeliest and the unlikeliest reading of their quotes.
func addJoined(values []string, list []param) []string {
	if len(list) == 0 {
		return values
	}
	for _, pick := range []func([]string) string{likeliest, unlikeliest} {
		var j joint
		for i, p := range list {
			j.add(pick(p.values), p.extended, i == 0, i > 0 && p.number <= list[i-1].number)
		}
		values = addDecoded(values, j.label, j.asSaid.String())
		values = addDecoded(values, j.label, j.labels.String())
		if j.extended {
			values = addDecoded(values, j.label, j.all.String())
		}
		if !j.labelled {
			values = addDecoded(values, "", j.raw.String())
		}
	}
	return values
}

// addDecoded adds what the octets mean in a charset, in each reading.
func addDecoded(values []string, label, octets string) []string {
	for _, value := range charset.DecodeAll(label, octets) {
		values = addValue(values, value)
	}
	return values
}

// joint is what becomes of the sections in each way to decode them.
type joint struct {
	label                    string // the charset of the first
	labelled, extended       bool
	asSaid, labels, all, raw strings.Builder // labels keeps those of later sections
}

// add takes a section; again if it begins once more, with a label of its own.
func (j *joint) add(value string, extended, first, again bool) {
	j.raw.WriteString(value)
	if first && extended {
		j.label, value, j.labelled = cutLabel(value)
	}
	decoded := percentDecode(value)
	if !extended {
		j.asSaid.WriteString(value)
		j.labels.WriteString(value)
		j.all.WriteString(decoded)
		return
	}
	j.extended = true
	j.labels.WriteString(decoded)
	if again {
		_, value, _ = cutLabel(value)
		decoded = percentDecode(value)
	}
	j.asSaid.WriteString(decoded)
	j.all.WriteString(decoded)
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

// cutLabel takes charset and language off a value (RFC 2231 section 4), or one of them where a
// quote is missing; ok if none is.
func cutLabel(value string) (label, rest string, ok bool) {
	switch parts := strings.SplitN(value, "'", 3); len(parts) {
	case 3:
		return parts[0], parts[2], true
	case 2:
		return parts[0], parts[1], false
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
