package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"mailweir/internal/content"
	"mailweir/test/testbed"
)

// content measures examinations: how much more a message costs with many entries, beside Hyperscan,
// which scans the same text for the same entries without being shown a message, and rspamd, which
// examines the same messages.
func (b *bench) content() error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	h := b.Part()
	defer h.Close()
	dir := testbed.TempDir(h)
	hyperscan, err := buildHyperscan(dir)
	if err != nil {
		return err
	}
	texts, err := contentTexts(dir)
	if err != nil {
		return err
	}
	if err := b.inProcess(dir, hyperscan, texts); err != nil {
		return err
	}
	if err := b.compiling(dir, hyperscan); err != nil {
		return err
	}
	if err := b.daemons(dir, texts); err != nil {
		return err
	}
	return b.largeMessages(dir)
}

// inProcess measures examinations without a protocol around them.
func (b *bench) inProcess(dir, hyperscan string, texts [2]contentText) error {
	fmt.Print("Examining a plain message of a MiB on one core, MB a second of processor time. Cold is the first examination after loading, with other\n" +
		"data in the caches. Hyperscan scans the text alone:\n\n")
	head, rule := []any{"definition"}, []any{"---"}
	for _, text := range texts {
		head, rule = append(head, text.name+": warm", "cold", "Hyperscan"), append(rule, "--:", "--:", "--:")
	}
	row(head...)
	row(rule...)
	for _, c := range contentCases() {
		cells := []any{c.name}
		for _, text := range texts {
			entries := c.entries(text.words)
			cold, err := b.examinedCold(dir, c.kind, entries, text.body)
			if err != nil {
				return err
			}
			warm, err := b.examined(dir, c.kind, entries, text.body)
			if err != nil {
				return err
			}
			scanned := ""
			if hyperscan != "" && len(entries) > 1 {
				if scanned, err = scanWithHyperscan(hyperscan, dir, c.expressions(entries), text.body, b.duration); err != nil {
					return err
				}
			}
			cells = append(cells, warm, cold, scanned)
		}
		row(cells...)
	}
	fmt.Println()
	return nil
}

// contentCase is one definition. A definition of one word that never comes shows what extraction
// costs.
type contentCase struct {
	name, kind string
	entries    func(words []string) []string
}

func contentCases() []contentCase {
	cases := []contentCase{{"extraction: one word that never comes", "", func([]string) []string { return []string{"zzyzx"} }}}
	for _, n := range []int{10, 1000, 10_000} {
		cases = append(cases, contentCase{fmt.Sprintf("%d phrases of common words", n), "", func([]string) []string { return phrases(n, commonWords) }})
	}
	return append(cases,
		contentCase{"100 patterns with a gap, words of the text", "regex ", func(w []string) []string { return gaps(100, w) }},
		contentCase{"100 patterns with a gap, common words", "regex ", func([]string) []string { return gaps(100, commonWords) }})
}

// expressions are the entries as Hyperscan takes them.
func (c contentCase) expressions(entries []string) []string {
	if c.kind != "" {
		return entries
	}
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = `\b` + strings.ReplaceAll(e, " ", `\s+`) + `\b`
	}
	return out
}

// examiner loads entries as a definition file.
func examiner(dir, kind string, entries []string) (*content.Examiner, error) {
	name := filepath.Join(dir, "bench.def")
	text := "!activation 1000000\n!scan subject body attachments filenames\n1 " + kind + strings.Join(entries, "\n1 "+kind) + "\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		return nil, err
	}
	definitions, err := content.Load(name)
	if err != nil {
		return nil, err
	}
	return content.NewExaminer(definitions, content.Options{})
}

// cachesHold is more than the caches of one core.
const cachesHold = 64 << 20

// examinedCold measures the first examination after loading, in each round with a definition loaded
// anew.
func (b *bench) examinedCold(dir, kind string, entries []string, body []byte) (sample, error) {
	other := make([]byte, cachesHold)
	var speeds sample
	for range b.rounds {
		e, err := examiner(dir, kind, entries)
		if err != nil {
			return nil, err
		}
		for i := 0; i < len(other); i += 64 {
			other[i]++
		}
		began := ownCPU()
		if err := examine(e, body); err != nil {
			return nil, err
		}
		speeds = append(speeds, float64(len(body))/1e6/(ownCPU()-began).Seconds())
	}
	return speeds, nil
}

// examined measures whole examinations of a plain message with that body.
func (b *bench) examined(dir, kind string, entries []string, body []byte) (sample, error) {
	e, err := examiner(dir, kind, entries)
	if err != nil {
		return nil, err
	}
	var speeds sample
	for range b.rounds {
		octets, began := 0, ownCPU()
		for ownCPU()-began < b.duration/time.Duration(b.rounds) {
			if err := examine(e, body); err != nil {
				return nil, err
			}
			octets += len(body)
		}
		speeds = append(speeds, float64(octets)/1e6/(ownCPU()-began).Seconds())
	}
	return speeds, nil
}

func examine(e *content.Examiner, body []byte) error {
	x := e.Begin(content.Text | content.Files)
	defer x.Close()
	x.Header("Subject", "bench")
	const chunk = 65535
	for at := 0; at < len(body); at += chunk {
		x.Body(body[at:min(at+chunk, len(body))])
	}
	_, err := x.Finish()
	return err
}

func ownCPU() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// compiling measures how long entries take to load.
func (b *bench) compiling(dir, hyperscan string) error {
	fmt.Print("Loading and compiling, seconds of processor time:\n\n")
	row("definition", "mailweir", "Hyperscan")
	row("---", "--:", "--:")
	for _, c := range []contentCase{
		{name: "10000 phrases", entries: func(w []string) []string { return phrases(10_000, w) }},
		{name: "1000 patterns with a gap", kind: "regex ", entries: func(w []string) []string { return gaps(1000, w) }},
	} {
		entries := c.entries(commonWords)
		var took sample
		for range b.rounds {
			began := ownCPU()
			if _, err := examiner(dir, c.kind, entries); err != nil {
				return err
			}
			took = append(took, (ownCPU() - began).Seconds())
		}
		theirs := "not installed"
		if hyperscan != "" {
			var err error
			if theirs, err = compileWithHyperscan(hyperscan, dir, c.expressions(entries)); err != nil {
				return err
			}
		}
		row(c.name, fmt.Sprintf("%.3f", took.median()), theirs)
	}
	fmt.Println()
	return nil
}

// largeMessages compares memory and time of two large messages at once, with 10,000 phrases and
// without any check.
func (b *bench) largeMessages(dir string) error {
	if _, err := examiner(dir, "", phrases(10_000, commonWords)); err != nil { // writes the definition
		return err
	}
	const large = 100<<20 - 64<<10
	fmt.Print("Two messages at once over the milter protocol:\n\n")
	row("policy", "peak memory, two of 8 KiB", "two of 100 MiB", "time for these")
	row("---", "--:", "--:", "--:")
	for _, c := range []contender{
		{name: "none: reading them", flags: append([]string{"--truncated=off"}, wireAlone...)},
		{name: "10,000 phrases", flags: append([]string{"--content-definition=" + filepath.Join(dir, "bench.def")}, wireAlone...)},
	} {
		h := b.Part()
		var peaks [2]int
		var took time.Duration
		for i, size := range []int{bodySize, large} {
			pid, socket := b.start(h, c, "")
			began := time.Now()
			if err := atOnce(socket, 2, size); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			took = time.Since(began)
			peak, err := peakMemory(pid)
			if err != nil {
				return err
			}
			peaks[i] = peak
		}
		h.Close()
		row(c.name, mib(peaks[0]), mib(peaks[1]), fmt.Sprintf("%.1f s", took.Seconds()))
	}
	fmt.Println()
	return nil
}
