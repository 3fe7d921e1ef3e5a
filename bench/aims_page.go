package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// aimsPage is the page of the aims.
type aimsPage struct {
	when    time.Time
	machine machine
	rounds  int
	aims    []aim
	missing []string // parts that failed
	of      []string // the parts whose aims they are, nil for all
}

// writeTo writes it as Markdown that can be read in a terminal.
func (p aimsPage) writeTo(w io.Writer) {
	title, what := "Aims", "`make bench` writes this page."
	if p.of != nil {
		title, what = "Aims: "+strings.Join(p.of, ", "), "This is a part of the page that `make bench` writes."
	}
	fmt.Fprintf(w, "# %s\n\n%s Measured at %s:\n%v.\n\n", title, what, p.when.UTC().Format("2006-01-02 15:04 UTC"), p.machine)
	fmt.Fprintf(w, "Each figure is the median of at least %d rounds, the lowest and the highest in brackets. All contenders of a row take turns\n"+
		"in each round, and a ratio is taken round by round, so that other work of the machine slows both. An aim is reached when the\n"+
		"median reaches it, even where not each round does. The C filter is a libmilter filter that does nothing (`bench/noop`).\n\n", p.rounds)
	aims := grid{{"what", "aim", "measured", "reached"}}
	readings := grid{{"what", "who", "figure"}}
	var notes []string
	for _, a := range p.aims {
		aims = append(aims, []string{a.What, a.Bound.String(), a.Got.within(a.Bound.Unit), a.Bound.reachedBy(a.Got)})
		what := a.What
		for _, r := range a.Of {
			readings = append(readings, []string{what, r.Name, r.Rounds.within(r.Unit)})
			what = ""
		}
		if a.Note != "" {
			notes = append(notes, fmt.Sprintf("- %s: %s\n", a.What, a.Note))
		}
	}
	aims.writeTo(w)
	if len(p.missing) > 0 {
		fmt.Fprintf(w, "\nNot measured, as they failed: %s.\n", strings.Join(p.missing, ", "))
	}
	if len(notes) > 0 {
		fmt.Fprintf(w, "\n%s", strings.Join(notes, ""))
	}
	fmt.Fprint(w, "\n## What these are made of\n\n")
	readings.writeTo(w)
}

// write puts it below dir as a whole.
func (p aimsPage) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var text strings.Builder
	p.writeTo(&text)
	name := filepath.Join(dir, "aims.md")
	if err := os.WriteFile(name+".new", []byte(text.String()), 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// grid is a table, its head first.
type grid [][]string

// writeTo pads the cells, so that columns stand below each other.
func (g grid) writeTo(w io.Writer) {
	widths := make([]int, len(g[0]))
	for _, cells := range g {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, cells := range g {
		for i, cell := range cells {
			fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
		fmt.Fprint(w, "|\n")
		if n == 0 {
			for _, width := range widths {
				fmt.Fprintf(w, "| %s ", strings.Repeat("-", width))
			}
			fmt.Fprint(w, "|\n")
		}
	}
}
