package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mailweir/test/testbed"
)

// What differs from run to run, or with the directory and the ports that a run was given.
var (
	varying = []struct {
		what *regexp.Regexp
		with string
	}{
		{regexp.MustCompile(`mw-[0-9A-Za-z]{8}`), "mw-ID"},
		{regexp.MustCompile(`/tmp/mw\d+`), "$$TMP"},
		{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
		{regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z| UTC| \+0000)?`), "TIME"},
		{regexp.MustCompile(`\b(\d+(\.\d+)?(ns|µs|ms|s|m|h|d))+\b`), "DURATION"},
	}
	// Left out: they name the run, or how it went and not what was decided. An outcome has the SPF
	// result only if a question that nobody waited for any more was answered in time.
	ofOne   = []string{"recipient", "recipients", "clients"} // which of many alike events a line shows is chance
	omitted = []string{"time", "event", "session", "asked", "queries", "stack", "queue_id", "octets", "spf"}
)

// listAnswers is what a DNS list answered, in any order.
var listAnswers = regexp.MustCompile(`127\.0\.0\.\d+( 127\.0\.0\.\d+)+`)

// canonical is a line without what differs from run to run.
func canonical(line string) string {
	line = listAnswers.ReplaceAllStringFunc(line, func(answers string) string {
		return strings.Join(sorted(strings.Fields(answers)), " ")
	})
	for _, v := range varying {
		line = v.what.ReplaceAllString(line, v.with)
	}
	return line
}

// eventLines are the decisions and outcomes of a log, a line each.
func eventLines(entries []testbed.Entry, dir string) []string {
	var lines []string
	for _, e := range entries {
		if e["check"] == "" && e["fate"] == "" {
			continue // what the daemon says of itself
		}
		kind := "event"
		if e["fate"] != "" {
			kind = "outcome"
		}
		var names []string
		for name := range e {
			if !slices.Contains(omitted, name) && (e["times"] == "" || !slices.Contains(ofOne, name)) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		var b strings.Builder
		b.WriteString(e["queue_id"] + " " + kind)
		for _, name := range names {
			b.WriteString(" " + name + "=" + strconv.Quote(e[name]))
		}
		line := b.String()
		if dir != "" {
			line = strings.ReplaceAll(line, dir, "$DIR")
		}
		lines = append(lines, canonical(line))
	}
	return lines
}

// convert puts logs of dialogs into the same form. Their queue ids are the MTA's, so that they are
// left out.
func convert(logs, out string) error {
	names, err := filepath.Glob(filepath.Join(logs, "*.log"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var entries []testbed.Entry
		for line := range strings.Lines(string(text)) {
			if e, ok := testbed.ParseEntry(line); ok {
				delete(e, "queue_id")
				entries = append(entries, e)
			}
		}
		base := strings.TrimSuffix(filepath.Base(name), ".log")
		if err := writeLines(filepath.Join(out, base), sorted(eventLines(entries, ""))); err != nil {
			return err
		}
	}
	return nil
}
