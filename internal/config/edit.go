package config

import "strings"

// SetLine returns the text of a file of flags in which a flag that may not be repeated has a value:
// on the line where it stands, else on one behind all others. All else stays as it is.
func SetLine(text, flag, value string) string {
	line := flag + " = " + value + "\n"
	var out strings.Builder
	set := false
	for old := range strings.Lines(text) {
		switch {
		case !names(old, flag):
			out.WriteString(whole(old))
		case !set:
			out.WriteString(line)
			set = true
		}
	}
	if !set {
		out.WriteString(line)
	}
	return out.String()
}

// DropLine returns the text without the lines of a flag, and reports whether there was one.
func DropLine(text, flag string) (without string, dropped bool) {
	var out strings.Builder
	for old := range strings.Lines(text) {
		if names(old, flag) {
			dropped = true
			continue
		}
		out.WriteString(whole(old))
	}
	return out.String(), dropped
}

// names reports whether a line is about a flag.
func names(line, flag string) bool {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return false
	}
	name, _, _ := splitLine(line)
	return name == flag
}

// whole is a line with its end.
func whole(line string) string {
	if strings.HasSuffix(line, "\n") {
		return line
	}
	return line + "\n"
}
