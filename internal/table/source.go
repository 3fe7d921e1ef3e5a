package table

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Part is a line of a table's source in its parts.
type Part struct {
	// Key is what the line is about, as it stands there: a key, a net, or a pattern with its
	// delimiters and flags. Of an if or endif it is the whole line.
	Key string
	// Value is the right-hand side, "" where the line has none.
	Value string
	// Block says that the line is an if or endif.
	Block bool
	// Err says why the key cannot be read, such as a pattern that RE2 does not know. Key and Value
	// are there all the same, as far as the line has them.
	Err error
}

// Split parts a line, as [ReadLines] gives it, of a table of a type in files. What is wrong with a
// key of a hash only shows where it is looked up: see [CheckLine].
func Split(kind, line string) Part {
	switch kind {
	case "cidr", "regexp", "pcre":
	default:
		key, value, err := splitEntry(line)
		return Part{Key: key, Value: value, Err: err}
	}
	if verb, _ := statement(line); verb != "" {
		return Part{Key: line, Block: true}
	}
	if kind != "cidr" {
		return splitRule(line, kind == "regexp")
	}
	start := len(line) - len(strings.TrimLeft(line, "!"+whiteSpace))
	end := len(line)
	if i := strings.IndexAny(line[start:], whiteSpace); i >= 0 {
		end = start + i
	}
	_, err := parseNetwork(line[:end])
	return Part{Key: line[:end], Value: strings.Trim(line[end:], whiteSpace), Err: err}
}

// splitRule parts a line with a pattern.
func splitRule(line string, posix bool) Part {
	rule, err := ParseRule(line)
	if err != nil {
		return Part{Err: err}
	}
	_, err = compile(rule.Pattern, rule.Flags, posix)
	line = strings.TrimRight(line, whiteSpace)
	return Part{Key: strings.TrimRight(strings.TrimSuffix(line, rule.Value), whiteSpace), Value: rule.Value, Err: err}
}

// CheckLine says what is wrong with a line as the only one of a table for such a list, nil where
// nothing is: what [Loader.List] says of the file it stands in, without the place.
func CheckLine(kind, line string, options ListOptions) error {
	// A table in a file, so that what may be a comment behind a value is one.
	t := &Table{file: "line"}
	err := t.read(kind, strings.NewReader(line), len(line))
	if err == nil {
		err = t.check(&options, 0, nil)
	}
	var faults *Errors
	if errors.As(err, &faults) {
		return faults.List[0].Err
	}
	return err
}

// Text makes a table of a type in files from what would stand in the file.
func Text(kind, text string) (*Table, error) {
	if kind == "inline" || kind == "static" || !slices.Contains(types, kind) {
		return nil, fmt.Errorf("tables of type %q do not stand in text files", kind)
	}
	t := &Table{spec: kind + ":"}
	if err := t.read(kind, strings.NewReader(text), len(text)); err != nil {
		return nil, err
	}
	return t, nil
}
