package policy

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// readReplies reads the file of --replies. Each line overrides one reply:
//
//	ID CODE X.Y.Z Text
//
// Blank lines and lines that begin with # are left out. An unknown id, a second line for the same id, and a reply that an MTA
// would refuse are errors.
func readReplies(name string, registry *Registry) (map[*Reply]*Reply, error) {
	if name == "" {
		return nil, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("--replies: %w", err)
	}
	known := make(map[string]*Reply)
	for _, r := range registry.Replies {
		known[r.ID] = r
	}
	replies := make(map[*Reply]*Reply)
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		own, err := parseOverride(line, known)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		if replies[known[own.ID]] != nil {
			return nil, fmt.Errorf("%s:%d: reply %s is overridden twice", name, n, own.ID)
		}
		replies[known[own.ID]] = own
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return replies, nil
}

func parseOverride(line string, known map[string]*Reply) (*Reply, error) {
	fields := strings.Fields(line)
	if len(fields) < 4 {
		return nil, fmt.Errorf("write ID CODE X.Y.Z Text, such as: hops 554 5.4.6 Mail loop detected")
	}
	declared, ok := known[fields[0]]
	if !ok {
		return nil, fmt.Errorf("there is no reply %q; mailweir replies lists them", fields[0])
	}
	code, err := strconv.Atoi(fields[1])
	if err != nil {
		return nil, fmt.Errorf("reply %s: %q is not a reply code", declared.ID, fields[1])
	}
	own := *declared
	own.Code, own.Enhanced, own.Text = code, fields[2], strings.Join(fields[3:], " ")
	if err := own.Validate(); err != nil {
		return nil, err
	}
	return &own, nil
}
