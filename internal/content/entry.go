package content

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/content/fold"
	"mailweir/internal/content/match"
)

// maxPhrase is the most octets of a words entry after folding; it fits the overlap of two windows.
const maxPhrase = 1024

// parseEntry reads `weight[:max] [required|exclude|regex|regex,cardnumber|regex,exclude|hash]
// text`.
func parseEntry(line string) (Entry, error) {
	first, text := cutBlank(line)
	weight, limit, err := parseWeight(first)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Weight: weight, Max: limit}
	if word, rest := cutBlank(text); slices.Contains(kindNames[1:], word) {
		e.Kind, text = Kind(slices.Index(kindNames[:], word)), rest
		if next, _ := cutBlank(rest); slices.Contains(kindNames[1:], next) && e.Kind < Regex {
			return Entry{}, fmt.Errorf("%s and %s can't stand together (a phrase that begins with such a word is written as a regex)", word, next)
		}
	} else if lower := strings.ToLower(word); slices.Contains(kindNames[1:], lower) {
		return Entry{}, fmt.Errorf("%q: write %s in lower case (a phrase that begins with such a word is written as a regex)", word, lower)
	} else if strings.HasPrefix(lower, "regex,") || strings.Contains(lower, ",regex") {
		return Entry{}, fmt.Errorf("unknown kind %q: known are required, exclude, regex, regex,cardnumber, regex,exclude, hash", word)
	}
	e.Text = text
	return e, e.check()
}

// check refuses an entry that can't match anything.
func (e *Entry) check() error {
	if e.Text == "" {
		return errors.New("no text: an entry is `weight[:max] [required|exclude|regex|regex,cardnumber|regex,exclude|hash] text`")
	}
	switch e.Kind {
	case Regex, CardNumber, ExcludeRegex:
		digits, err := match.Check(e.Text)
		if err == nil && e.Kind == CardNumber && digits >= 0 && digits < minCard {
			return fmt.Errorf("regular expression %q can't match a card number: its matches have %d digits at most, card numbers %d to 19", e.Text, digits, minCard)
		}
		return err
	case Hash:
		_, err := parseHash(e.Text)
		return err
	default:
		folded := fold.Text(e.Text)
		switch {
		case len(folded) == 0:
			return errors.New("the text consists of invisible characters only")
		case len(folded) > maxPhrase:
			return fmt.Errorf("text longer than %d octets", maxPhrase)
		case len(folded) > 2 && folded[0] == '"' && bytes.IndexByte(folded[1:], '"') == len(folded)-2:
			return fmt.Errorf("the quotes of %s are taken for part of the text: leave them out (if a quoted text is meant, write it as a regex)", e.Text)
		}
		return nil
	}
}

func parseWeight(field string) (weight, limit int, err error) {
	number, most, bounded := strings.Cut(field, ":")
	weight, err = strconv.Atoi(number)
	if err != nil || weight < 0 || weight > maxWeight {
		return 0, 0, fmt.Errorf("%q is not a weight: an entry begins with a whole number from 0 to %d, or weight:max", field, maxWeight)
	}
	if !bounded {
		return weight, 0, nil
	}
	limit, err = strconv.Atoi(most)
	if err != nil || limit < 1 || limit < weight || limit > maxWeight {
		return 0, 0, fmt.Errorf("%q: max must be a whole number from the weight to %d", field, maxWeight)
	}
	return weight, limit, nil
}

// cutBlank splits at the first run of blanks.
func cutBlank(s string) (first, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}

// parseHash takes `md5:HEX`, `sha1:HEX`, `sha256:HEX`, or the bare hexadecimal digits, and gives
// the octets; their number tells the algorithm.
func parseHash(text string) (string, error) {
	name, digits, named := strings.Cut(strings.ToLower(text), ":")
	if !named {
		name, digits = "", name
	}
	sum, err := hex.DecodeString(digits)
	algorithm := hashNames[len(sum)]
	if err != nil || algorithm == "" || (named && name != algorithm) {
		return "", fmt.Errorf("%q is not a hash: write md5:, sha1: or sha256: and 32, 40 or 64 hexadecimal digits", text)
	}
	return string(sum), nil
}

var hashNames = map[int]string{16: "md5", 20: "sha1", 32: "sha256"}
