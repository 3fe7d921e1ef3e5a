package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// errDiffers is what diff returns where the directories are not alike.
var errDiffers = errors.New("the decisions differ")

// rename is a word that has changed between two programs.
type rename struct {
	from *regexp.Regexp
	to   string
}

// readRenames reads lines "EXPRESSION => TEXT"; # begins a remark.
func readRenames(name string) ([]rename, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var list []rename
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		from, to, found := strings.Cut(line, " => ")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		expression, err := regexp.Compile(from)
		if !found || err != nil {
			return nil, fmt.Errorf("%s: want EXPRESSION => TEXT, not %q (%v)", name, line, err)
		}
		list = append(list, rename{expression, to})
	}
	return list, nil
}

// diff compares a directory with several that were recorded before, file by file, and prints the
// lines that only one has. Of those before, what differs least counts: some events depend on how
// fast a peer was.
func diff(w io.Writer, before []string, after, renames string) error {
	list, err := readRenames(renames)
	if err != nil {
		return err
	}
	names, err := fileNames(append(before, after)...)
	if err != nil {
		return err
	}
	differ := 0
	for _, name := range names {
		best := compare(before, after, name, list)
		if best == nil {
			continue
		}
		differ++
		fmt.Fprintln(w, name)
		for _, line := range best {
			fmt.Fprintln(w, line)
		}
	}
	fmt.Fprintf(w, "%d of %d files differ\n", differ, len(names))
	if differ > 0 {
		return errDiffers
	}
	return nil
}

// compare returns how a file differs from that one of those before that it is most like; nil if
// from none.
func compare(before []string, after, name string, renames []rename) (best []string) {
	now, err := readLines(filepath.Join(after, name), nil)
	if err != nil {
		return []string{err.Error()}
	}
	for i, dir := range before {
		old, err := readLines(filepath.Join(dir, name), renames)
		lines := []string{fmt.Sprint(err)}
		if err == nil {
			lines = append(marked("- ", without(old, now)), marked("+ ", without(now, old))...)
		}
		if len(lines) == 0 {
			return nil
		}
		if i == 0 || len(lines) < len(best) {
			best = lines
		}
	}
	return best
}

func marked(mark string, lines []string) []string {
	for i := range lines {
		lines[i] = mark + lines[i]
	}
	return lines
}

// fileNames are those of either directory and what is below it.
func fileNames(dirs ...string) ([]string, error) {
	var names []string
	for _, dir := range dirs {
		err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				names = append(names, name)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func readLines(name string, renames []rename) ([]string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		for _, r := range renames {
			line = r.from.ReplaceAllString(line, r.to)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines, nil
}

// without returns the lines of a that b has not, each as often as it is more.
func without(a, b []string) []string {
	left := make(map[string]int)
	for _, line := range b {
		left[line]++
	}
	var rest []string
	for _, line := range a {
		if left[line] > 0 {
			left[line]--
			continue
		}
		rest = append(rest, line)
	}
	return rest
}
