package attach

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mailweir/internal/mta/sendmail"
)

// Macros of an mc file that say which filters there are.
const (
	inputMailFilter = "INPUT_MAIL_FILTER"
	mailFilter      = "MAIL_FILTER"
	inputFilters    = "confINPUT_MAIL_FILTERS"
)

// ownFilters is what a daemon has for InputMailFilters; Sendmail goes by the first letter.
var ownFilters = regexp.MustCompile(`(?i)\bI[a-z]*[ \t]*=[ \t]*`)

// attachMC returns an mc file in which our filter is the first, with the times that mailweir needs.
// action is accept or tempfail, "" for that of an entry that is there. cf says which daemon takes
// mail from outside.
func attachMC(text, address, action string, cf *sendmail.CF) (string, error) {
	calls, err := sendmail.ParseMC(text)
	if err != nil {
		return "", err
	}
	if action == "" {
		action = actionOf(calls)
	}
	name, explicit := inputMailFilter, slices.ContainsFunc(calls, isList)
	if explicit {
		name = mailFilter // the list names it
	}
	flags := ""
	if action == "tempfail" {
		flags = "F=T, "
	}
	ours := fmt.Sprintf("%s(`%s', `S=%s, %sT=C:30s;S:10s;R:20s;E:2m')", name, filterName, address, flags)
	if have := slices.IndexFunc(calls, isOurs); have >= 0 && text[calls[have].Start:calls[have].End] == ours && firstOf(calls) == have {
		ours = "" // it is there already
	} else if text, err = dropOurs(text); err != nil {
		return "", err
	} else if calls, err = sendmail.ParseMC(text); err != nil {
		return "", err
	}
	// From the end to the beginning: places before stay what they are.
	for i := len(calls) - 1; i >= 0; i-- {
		text = withOurs(text, calls[i], cf)
	}
	if ours == "" {
		return text, nil
	}
	at, err := placeFor(text)
	if err != nil {
		return "", err
	}
	return text[:at] + ours + "dnl\n" + text[at:], nil
}

// withOurs puts our name into a list of filters that a call has.
func withOurs(text string, c sendmail.Call, cf *sendmail.CF) string {
	switch {
	case isList(c) && !slices.Contains(listed(c.Arg(1)), filterName):
		list := filterName
		if rest := strings.TrimSpace(c.Arg(1)); rest != "" {
			list += ", " + rest
		}
		return text[:c.Start] + fmt.Sprintf("define(`%s', `%s')", inputFilters, list) + text[c.End:]
	case c.Name == "DAEMON_OPTIONS":
		d := sendmail.ParseDaemon(c.Arg(0))
		mx := mxDaemon(cf)
		own := d.Options["I"]
		if mx == nil || d.Name != mx.Name || own == "" || slices.Contains(listed(own), filterName) {
			return text
		}
		call := text[c.Start:c.End]
		if at := ownFilters.FindStringIndex(call); at != nil {
			return text[:c.Start] + call[:at[1]] + filterName + ";" + call[at[1]:] + text[c.End:]
		}
	}
	return text
}

// detachMC returns an mc file without us.
func detachMC(text string) (string, error) {
	text, err := dropOurs(text)
	if err != nil {
		return "", err
	}
	calls, err := sendmail.ParseMC(text)
	if err != nil {
		return "", err
	}
	for i := len(calls) - 1; i >= 0; i-- {
		c := calls[i]
		switch {
		case isList(c) && slices.Contains(listed(c.Arg(1)), filterName):
			list := strings.Join(slices.DeleteFunc(listed(c.Arg(1)), isFilterName), ", ")
			text = text[:c.Start] + fmt.Sprintf("define(`%s', `%s')", inputFilters, list) + text[c.End:]
		case c.Name == "DAEMON_OPTIONS":
			call := strings.Replace(text[c.Start:c.End], filterName+";", "", 1)
			text = text[:c.Start] + call + text[c.End:]
		}
	}
	return text, nil
}

func isFilterName(name string) bool { return name == filterName }

// dropOurs takes our filter out, with its line.
func dropOurs(text string) (string, error) {
	calls, err := sendmail.ParseMC(text)
	if err != nil {
		return "", err
	}
	for i := len(calls) - 1; i >= 0; i-- {
		if c := calls[i]; isOurs(c) {
			rest := strings.TrimPrefix(text[c.End:], "dnl")
			text = text[:c.Start] + strings.TrimPrefix(rest, "\n")
		}
	}
	return text, nil
}

func isOurs(c sendmail.Call) bool {
	return (c.Name == inputMailFilter || c.Name == mailFilter) && c.Arg(0) == filterName
}

func isList(c sendmail.Call) bool { return c.Name == "define" && c.Arg(0) == inputFilters }

func isFilter(c sendmail.Call) bool { return c.Name == inputMailFilter || c.Name == mailFilter }

// firstOf is the first call of a filter, -1 for none.
func firstOf(calls []sendmail.Call) int { return slices.IndexFunc(calls, isFilter) }

// actionOf is what our filter does while mailweir does not answer.
func actionOf(calls []sendmail.Call) string {
	for _, c := range calls {
		if isOurs(c) && sendmail.ParseFilter(filterName+","+c.Arg(1)).Flags == "T" {
			return "tempfail"
		}
	}
	return "accept"
}

func listed(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(" \t,;", r) })
}

// placeFor is the start of the line above which our filter is to stand: that of the first other
// one, or of the mailers.
func placeFor(text string) (int, error) {
	calls, err := sendmail.ParseMC(text)
	if err != nil {
		return 0, err
	}
	at := firstOf(calls)
	if at < 0 {
		at = slices.IndexFunc(calls, func(c sendmail.Call) bool { return c.Name == "MAILER" })
	}
	if at < 0 {
		return 0, fmt.Errorf("there is no MAILER line above which a filter could stand")
	}
	start := strings.LastIndexByte(text[:calls[at].Start], '\n') + 1
	if before := strings.TrimSuffix(text[:start], "\n"); strings.HasSuffix(before, "\nMAILER_DEFINITIONS") {
		start = len(before) - len("MAILER_DEFINITIONS")
	}
	return start, nil
}
