package postgrey

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// dumpBegins is how each output of db_dump(1) begins.
const dumpBegins = "VERSION="

// longestLine bounds a line: postgrey keeps three attributes of at most 512 octets in a key.
const longestLine = 1 << 20

// readDump reads what db_dump(1) writes, of one database or several, with or without -p: header
// lines up to HEADER=END, then keys and values by turn, each behind a blank, up to DATA=END.
func readDump(in io.Reader, entry func(key, value string)) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestLine)
	number, inData, printed, hasKey, key := 0, false, false, false, ""
	for lines.Scan() {
		number++
		line := strings.TrimSuffix(lines.Text(), "\r")
		switch {
		case !inData:
			if value, is := strings.CutPrefix(line, "format="); is {
				printed = value == "print"
			}
			inData = line == "HEADER=END"
		case line == "DATA=END":
			if hasKey {
				return fmt.Errorf("line %d: the last key has no value", number)
			}
			inData, printed = false, false
		default:
			text, err := decode(line, printed)
			if err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
			if hasKey {
				entry(key, text)
			}
			hasKey, key = !hasKey, text
		}
	}
	switch err := lines.Err(); {
	case err != nil:
		return fmt.Errorf("line %d: %w", number+1, err)
	case inData:
		return errors.New("it ends without DATA=END, so it is not whole")
	case number == 0:
		return errors.New("it is empty")
	}
	return nil
}

// decode reads a key or value: two hexadecimal digits an octet, or characters with \\ and \hh.
func decode(line string, printed bool) (string, error) {
	text, blank := strings.CutPrefix(line, " ")
	if !blank {
		return "", errors.New("no blank begins it")
	}
	if !printed {
		octets, err := hex.DecodeString(text)
		return string(octets), err
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] != '\\':
			b.WriteByte(text[i])
		case strings.HasPrefix(text[i+1:], `\`):
			b.WriteByte('\\')
			i++
		default:
			octet, err := hex.DecodeString(text[i+1 : min(i+3, len(text))])
			if err != nil || len(octet) != 1 {
				return "", fmt.Errorf("%q is no octet", text[i:])
			}
			b.WriteByte(octet[0])
			i += 2
		}
	}
	return b.String(), nil
}
