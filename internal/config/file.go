package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"mailweir/internal/textfile"
)

// readFile reads flags from a file, one a line, as --name=value; the hyphens may be left out, and
// white space may stand for or around the equals sign. A switch may stand without a value. Lines
// that begin with # and blank lines are left out. Only a repeatable flag may stand there twice.
func readFile(name string, set *pflag.FlagSet) (map[string]setting, []Wrong) {
	data, err := textfile.ReadText(name)
	if err != nil {
		return nil, []Wrong{{FileFlag, fmt.Errorf("--%s: %w", FileFlag, err)}}
	}
	return parseFile(name, string(data), set)
}

func parseFile(name, text string, set *pflag.FlagSet) (settings map[string]setting, wrong []Wrong) {
	settings = make(map[string]setting)
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		where := fmt.Sprintf("%s:%d", name, n)
		if flag, err := readLine(line, where, set, settings); err != nil {
			wrong = append(wrong, Wrong{flag, fmt.Errorf("%s: %w", where, err)})
		}
	}
	return settings, wrong
}

// readLine adds a line to the settings. With an error, flag is the one that the line is about, or
// most likely means.
func readLine(line, where string, set *pflag.FlagSet, settings map[string]setting) (flag string, err error) {
	name, value, hasValue := splitLine(line)
	f := set.Lookup(name)
	switch {
	case strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return nearest(set, name), errors.New("a control character stands in the line")
	case f == nil:
		return nearest(set, name), noFlag(set, name, hasValue)
	case name == FileFlag:
		return name, fmt.Errorf("--%s cannot stand in the file that it names", name)
	case !hasValue && f.NoOptDefVal == "":
		return name, fmt.Errorf("--%s needs a value", name)
	case !hasValue:
		value = f.NoOptDefVal
	}
	before, again := settings[name]
	if _, repeatable := f.Value.(pflag.SliceValue); again && !repeatable {
		return name, fmt.Errorf("--%s stands at %s already", name, before.where)
	}
	first := where
	if again {
		first = before.where
	}
	settings[name] = setting{values: append(before.values, value), where: first, lines: append(before.lines, where)}
	return name, nil
}

// longName is longer than the name of any flag.
const longName = 60

// noFlag names the flag that is not there. What is too long for a name is most likely the rest of a
// line that was broken in two. A word that stands alone and is not nearly a name may be a password.
func noFlag(set *pflag.FlagSet, name string, hasValue bool) error {
	name = Masked(name)
	if !hasValue && nearest(set, name) == "" {
		return fmt.Errorf("the line is one word of %d octets and no flag's name", len(name))
	}
	if len(name) > longName {
		return fmt.Errorf("the line begins with no flag's name, but with %d octets without a space or =: %q…", len(name), name[:longName])
	}
	return fmt.Errorf("there is no flag --%s%s", name, Suggest(set, name))
}

// splitLine splits "--name=value", "name = value" and "name value".
func splitLine(line string) (name, value string, hasValue bool) {
	line = strings.TrimPrefix(line, "--")
	end := strings.IndexAny(line, "= \t")
	if end < 0 {
		return line, "", false
	}
	value = strings.TrimSpace(line[end:])
	value = strings.TrimSpace(strings.TrimPrefix(value, "="))
	return line[:end], value, true
}
