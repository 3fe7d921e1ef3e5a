package testbed

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
)

// stock is what a process holds at some moment: its goroutines and its descriptors, by what they
// are for. Counts alone would not do: a prober of a server that was lost, or the reader of a
// database, may begin to work whenever it is first needed, and stays.
type stock struct {
	goroutines map[string][]string // stacks, by the function that each began with
	open       map[string]int      // descriptors, by what they are
}

// mayStay are the functions of goroutines that begin when they are needed, and stay.
var mayStay = []string{
	"mailweir/internal/backend.(*Backend).probe", // looks for a server that was lost
	"database/sql.(*DB).connectionOpener",        // of a database that is read for the first time
	"database/sql.(*DB).connectionCleaner",       // the same
}

// stock looks at what the process holds.
func (m *Mailweir) stock() (*stock, error) {
	text, err := m.stacks()
	if err != nil {
		return nil, err
	}
	names, err := openDescriptors(m.PID())
	if err != nil {
		return nil, err
	}
	s := &stock{goroutines: byOrigin(text), open: map[string]int{}}
	for _, name := range names {
		s.open[kindOf(name)]++
	}
	return s, nil
}

// stacks are those of all goroutines; "" where the program was built elsewhere and does not tell.
func (m *Mailweir) stacks() (string, error) {
	conn, err := net.Dial("unix", m.told)
	if err != nil {
		if _, gone := os.Stat(overlay(m.cmd.Path)); gone != nil {
			return "", nil
		}
		return "", err
	}
	defer conn.Close()
	text, err := io.ReadAll(conn)
	return string(text), err
}

// byOrigin sorts stacks by the function that each goroutine began with.
func byOrigin(text string) map[string][]string {
	all := map[string][]string{}
	for stack := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if origin := originOf(stack); origin != "" {
			all[origin] = append(all[origin], stack)
		}
	}
	return all
}

// originOf is the function at the bottom of a stack, or the one that sync.WaitGroup.Go calls.
func originOf(stack string) (origin string) {
	for line := range strings.Lines(stack) {
		if strings.HasPrefix(line, "created by ") {
			break
		}
		arguments := strings.LastIndexByte(line, '(')
		if line[0] == '\t' || arguments < 0 || strings.HasPrefix(line, "sync.(*WaitGroup).Go.") && origin != "" {
			continue
		}
		origin = line[:arguments]
	}
	return origin
}

// kindOf is what a descriptor is: a path, or what stands before the number of a socket or pipe.
func kindOf(name string) string {
	kind, _, _ := strings.Cut(name, ":[")
	return kind
}

// isDatabase tells whether a path is a file of an SQLite database. Whoever reads it first opens it,
// and it stays open for the next one, whatever it is called by then.
func isDatabase(path string) bool {
	for _, beside := range []string{"-wal", "-shm"} {
		path = strings.TrimSuffix(path, beside)
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	const begins = "SQLite format 3\x00"
	head := make([]byte, len(begins))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == begins
}

// same tells whether two stocks have the same numbers.
func (s *stock) same(other *stock) bool {
	return maps.Equal(s.open, other.open) && maps.EqualFunc(s.goroutines, other.goroutines, func(a, b []string) bool { return len(a) == len(b) })
}

// leak tells what later has and the stock before it did not.
func (s *stock) leak(later *stock) error {
	var errs []error
	for origin, stacks := range later.goroutines {
		had := len(s.goroutines[origin])
		if len(stacks) > had && !slices.Contains(mayStay, origin) {
			errs = append(errs, fmt.Errorf("leak: %d goroutines of %s at the start, %d at the end:\n%s", had, origin, len(stacks), strings.Join(stacks, "\n\n")))
		}
	}
	for kind, n := range later.open {
		if had := s.open[kind]; n > had && !isDatabase(kind) {
			errs = append(errs, fmt.Errorf("leak: %d descriptors of %s at the start, %d at the end", had, kind, n))
		}
	}
	return errors.Join(errs...)
}
