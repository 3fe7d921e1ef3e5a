package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// daemons has mailweir and rspamd examine the same messages for the same entries, each over its own
// protocol, one after the other.
func (b *bench) daemons(dir string, texts [2]contentText) error {
	if _, err := exec.LookPath("rspamd"); err != nil {
		fmt.Print("rspamd is not installed, so it is left out (test/install.sh bench).\n\n")
		return nil
	}
	fmt.Print("Whole messages through the daemons, messages of average size a second of processor time, all their processes\n" +
		"counted; in brackets behind it MB a second:\n\n")
	head, rule := []any{"definition"}, []any{"---"}
	for _, text := range texts {
		head, rule = append(head, text.name+": mailweir", "rspamd"), append(rule, "--:", "--:")
	}
	row(head...)
	row(rule...)
	for _, c := range contentCases() {
		cells := []any{c.name}
		for _, text := range texts {
			ours, theirs, err := b.daemonsCase(dir, c, text)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			cells = append(cells, ours, theirs)
		}
		row(cells...)
	}
	fmt.Println()
	return nil
}

// daemonsCase lets the two take turns with one definition and one text.
func (b *bench) daemonsCase(dir string, c contentCase, text contentText) (ours, theirs string, err error) {
	h := b.Part()
	defer h.Close()
	entries := c.entries(text.words)
	if _, err := examiner(dir, c.kind, entries); err != nil { // writes the definition
		return "", "", err
	}
	definition := contender{flags: append(append([]string{"--content-definition=" + filepath.Join(dir, "bench.def")}, wireAlone...), forgetful...)}
	pid, socket := b.start(h, definition, "")
	l := load{socket: socket, connections: 1, letters: text.letters}
	r, err := startRspamd(h, dir, c.expressions(entries))
	if err != nil {
		return "", "", err
	}
	if err := r.finds(control(entries[0])); err != nil {
		return "", "", err
	}
	octets := 0
	for _, l := range text.letters {
		octets += len(l.String())
	}
	average := float64(octets) / float64(len(text.letters))
	var own, other sample
	for round := range b.rounds + 1 {
		_, cost, err := measure(pid, l, b.duration/time.Duration(b.rounds))
		if err != nil {
			return "", "", err
		}
		speed, err := r.measure(text.letters, b.duration/time.Duration(b.rounds))
		if err != nil {
			return "", "", err
		}
		if round > 0 { // the first one warms up
			own, other = append(own, 1e6/cost), append(other, speed/average)
		}
	}
	cell := func(s sample) string { return fmt.Sprintf("%v (%.1f)", s, s.median()*average/1e6) }
	return cell(own), cell(other), nil
}
