package content

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

// parseDefinition parses src as the file test.def.
func parseDefinition(src string) (*Definition, error) {
	return loadDefinition("test.def", func(name string) ([]byte, error) {
		if name != "test.def" {
			return nil, fmt.Errorf("open %s: %w", name, os.ErrNotExist)
		}
		return []byte(src), nil
	})
}

func mustExaminer(t testing.TB, opts Options, sources ...string) *Examiner {
	t.Helper()
	var defs []*Definition
	for _, src := range sources {
		def, err := parseDefinition(src)
		if err != nil {
			t.Fatal(err)
		}
		defs = append(defs, def)
	}
	e, err := NewExaminer(defs, opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// feedMessage sends a whole message to x as a milter sees it, the body in pieces of size octets.
func feedMessage(x *Examination, msg string, size int) {
	head, body, _ := strings.Cut(strings.ReplaceAll(msg, "\r\n", "\n"), "\n\n")
	var name, value string
	for _, line := range strings.Split(head, "\n") {
		if line != "" && (line[0] == ' ' || line[0] == '\t') {
			value += "\n" + line
			continue
		}
		if name != "" {
			x.Header(name, value)
		}
		name, value, _ = strings.Cut(line, ":")
	}
	if name != "" {
		x.Header(name, value)
	}
	octets := []byte(strings.ReplaceAll(body, "\n", "\r\n"))
	for len(octets) > 0 {
		n := min(size, len(octets))
		x.Body(bytes.Clone(octets[:n]))
		octets = octets[n:]
	}
}

// examine runs a whole message; the buffers must all be back afterwards.
func examine(t testing.TB, e *Examiner, msg string, size int) *Result {
	t.Helper()
	return examineFor(t, e, Text|Files, msg, size)
}

func examineFor(t testing.TB, e *Examiner, needs Needs, msg string, size int) *Result {
	t.Helper()
	x := e.Begin(needs)
	feedMessage(x, msg, size)
	result, err := x.Finish()
	if err != nil {
		t.Fatal(err)
	}
	x.Close()
	if used := e.pool.budget.Used(); used != 0 {
		t.Errorf("%d octets of buffers not given back", used)
	}
	return result
}
