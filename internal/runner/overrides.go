package runner

import (
	"fmt"
	"strconv"
	"strings"

	"mailweir/internal/policy"
	"mailweir/internal/textfile"
)

// Overrides reads the file of --replies, once the flags have been read: the replies that differ, by
// id.
func (d *Draft) Overrides() (map[string]*policy.Reply, error) {
	own, err := readReplies(d.settings.RepliesFile(), d.registry)
	byID := make(map[string]*policy.Reply, len(own))
	for _, r := range own {
		byID[r.ID] = r
	}
	return byID, err
}

// readReplies reads the file of --replies. Each line overrides one reply:
//
//	ID CODE X.Y.Z Text
//
// Blank lines and lines that begin with # are left out. An unknown id, a second line for the same
// id, and a reply that an MTA would refuse are errors.
func readReplies(name string, registry *policy.Registry) (map[*policy.Reply]*policy.Reply, error) {
	if name == "" {
		return nil, nil
	}
	data, err := textfile.ReadText(name)
	if err != nil {
		return nil, fmt.Errorf("--replies: %w", err)
	}
	return parseReplies(name, string(data), registry)
}

func parseReplies(name, text string, registry *policy.Registry) (map[*policy.Reply]*policy.Reply, error) {
	known := make(map[string]*policy.Reply)
	for _, r := range registry.Replies {
		known[r.ID] = r
	}
	replies := make(map[*policy.Reply]*policy.Reply)
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
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
	return replies, nil
}

func parseOverride(line string, known map[string]*policy.Reply) (*policy.Reply, error) {
	fields := strings.Fields(line)
	if len(fields) < 4 {
		return nil, fmt.Errorf("write ID CODE X.Y.Z Text, such as: hops 554 5.4.6 Mail loop detected")
	}
	declared, ok := known[fields[0]]
	if !ok {
		return nil, fmt.Errorf("there is no reply %q; mailweir replies lists them", fields[0])
	}
	code, err := strconv.ParseUint(fields[1], 10, 16)
	if err != nil {
		return nil, fmt.Errorf("reply %s: %q is not a reply code", declared.ID, fields[1])
	}
	own := *declared
	own.Code, own.Enhanced, own.Text = int(code), fields[2], strings.Join(fields[3:], " ")
	if err := own.Validate(); err != nil {
		return nil, err
	}
	return &own, nil
}
