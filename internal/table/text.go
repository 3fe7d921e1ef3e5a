package table

import (
	"errors"
	"fmt"
	"io"
)

var (
	errNoValue  = errors.New("the key has no value; a line is: key, white space, value")
	errNoKey    = errors.New("the line has no key; a line is: key, white space, value")
	errQuote    = errors.New(`unbalanced '"'`)
	errTooLarge = fmt.Errorf("the table is larger than %d GiB", maxArena>>30+1)
)

// readText reads the source of texthash and of what postmap compiles: hash, btree, lmdb and so on.
// Key and value are parted by the first white space that neither quotes nor a backslash protect;
// the quotes stay part of the key, as in Postfix. Keys are folded. Of two entries with the same key
// the first counts.
func readText(r io.Reader, size int) (*hashed, error) {
	h := newHashed(size)
	err := readEntries(r, func(line int, text string) error {
		key, value, err := splitEntry(text)
		switch {
		case err != nil:
			return err
		case value == "":
			return errNoValue
		case !h.add(fold(key), value, line):
			return errTooLarge
		}
		return nil
	})
	return h, err
}

// readKeys reads our own type list: one key a line, and a comment if you like. All else is as in
// texthash.
func readKeys(r io.Reader, size int) (*hashed, error) {
	h := newHashed(size)
	err := readEntries(r, func(line int, text string) error {
		key, more, err := splitEntry(text)
		switch {
		case err != nil:
			return err
		case withoutComment(more) != "":
			return errors.New("more than a key; list: has one key a line (for keys with values use texthash:)")
		case !h.add(fold(key), "", line):
			return errTooLarge
		}
		return nil
	})
	return h, err
}

func splitEntry(text string) (key, value string, err error) {
	end, quoted := 0, false
scan:
	for ; end < len(text); end++ {
		switch c := text[end]; {
		case c == '\\':
			end++
		case c == '"':
			quoted = !quoted
		case !quoted && isSpace(c):
			break scan
		}
	}
	end = min(end, len(text))
	if quoted {
		return "", "", errQuote
	}
	key = text[:end]
	if key == "" {
		return "", "", errNoKey
	}
	return key, trim(text[end:]), nil
}
