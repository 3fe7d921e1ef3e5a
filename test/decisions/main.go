// Decisions records what a mailweir decides about a corpus of real messages, so that two programs
// can be compared:
//
//	go run ./test/decisions -bin old/mailweir -out old.d
//	go run ./test/decisions -bin bin/mailweir -out new.d
//	go run ./test/decisions -diff [-renames FILE] old.d [another.d …] new.d
//
// Every message goes over the milter protocol, in a fixed order, from a client, a sender and to
// recipients that are chosen by its text alone. Each answer, event and outcome is a line; so is
// each event of the dialogs of test/dialogs, which "make decisions" has recorded besides.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"mailweir/test/testbed"
)

type settings struct {
	bin, out, corpus, definitions, states, logs string
	every, rate                                 int
}

func main() {
	var s settings
	flag.StringVar(&s.bin, "bin", "", "mailweir program")
	flag.StringVar(&s.out, "out", "", "directory for what is recorded")
	flag.StringVar(&s.corpus, "corpus", os.Getenv("MAILWEIR_CORPUS"), "directory of the corpus")
	flag.StringVar(&s.definitions, "definitions", "contrib/content", "directory of content definitions")
	flag.StringVar(&s.states, "states", "memory,file,redis", "where checks remember")
	flag.IntVar(&s.every, "every", 1, "take one of so many messages")
	flag.IntVar(&s.rate, "rate", 80, "recipients a second; above 100 log lines of a check are brought together, as chance has it")
	flag.StringVar(&s.logs, "logs", "", "directory of JSON logs, such as MAILWEIR_RECORD leaves, to put into the same form instead")
	compare := flag.Bool("diff", false, "compare the last directory with those before it")
	renames := flag.String("renames", "", "file of lines \"EXPRESSION => TEXT\" that the lines of those before are put through")
	flag.Parse()
	var err error
	switch {
	case *compare && flag.NArg() >= 2:
		last := flag.NArg() - 1
		err = diff(os.Stdout, flag.Args()[:last], flag.Arg(last), *renames)
	case s.out == "" || s.logs == "" && (s.bin == "" || s.corpus == ""):
		flag.Usage()
		os.Exit(2)
	case s.logs != "":
		err = convert(s.logs, s.out)
	default:
		err = s.record()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "decisions:", err)
		os.Exit(1)
	}
}

// record writes a file for each policy and state, all at once: the time goes into the pace.
func (s settings) record() error {
	h := testbed.NewProgram("decisions")
	defer h.Close()
	mails, err := readCorpus(s.corpus, s.every)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	var group errgroup.Group
	for state := range strings.SplitSeq(s.states, ",") {
		for _, p := range policies() {
			part := h.Part()
			group.Go(func() error { return s.recordOne(part, p, state, mails) })
		}
	}
	return group.Wait()
}

func (s settings) recordOne(h *testbed.Program, p policySet, state string, mails []mail) error {
	lines, err := s.play(h, p, state, mails)
	if err != nil {
		return fmt.Errorf("%s on %s: %w", p.name, state, err)
	}
	together := 0
	for _, line := range lines {
		if strings.Contains(line, ` alike="`) {
			together++
		}
	}
	fmt.Printf("%s on %s: %d messages, %d lines, %d of them of several events\n", p.name, state, len(mails), len(lines), together)
	return writeLines(filepath.Join(s.out, p.name+"."+state), lines)
}

func writeLines(name string, lines []string) error {
	return os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}
