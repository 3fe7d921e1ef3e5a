package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mailweir/test/testbed"
)

// What a large site has at its start.
const (
	startMailboxes   = 1_000_000
	startDefinitions = 4
	startPhrases     = 10_000 // of each definition
)

// startTimes is how long starts and reloads take.
type startTimes struct {
	ready    sample // seconds from the start of the program to its answer at the milter socket
	reloaded sample // milliseconds from SIGHUP to the line in the log that the policy is loaded
}

// startAndReload measures how long a large site's mailweir takes to start, and to reload what has
// not changed. The triplets are there only with -state-dir.
func (b *bench) startAndReload() error {
	triplets := "no state"
	if b.stateDir != "" {
		triplets = fmt.Sprintf("%d triplets on the embedded store", b.stateRows)
	}
	fmt.Printf("A table of %d recipients, %d definitions of %d phrases, %s (median of %d rounds, lowest and highest in brackets):\n\n",
		startMailboxes, startDefinitions, startPhrases, triplets, b.rounds)
	times, err := b.measureStart(contender{})
	if err != nil {
		return err
	}
	row("program", "start to ready, s", "reload, nothing changed, ms")
	row("---", "--:", "--:")
	row("mailweir", times.ready.decimals(), times.reloaded.decimals())
	if b.against != "" {
		if times, err = b.measureStart(contender{before: true}); err != nil {
			return err
		}
		row("before: mailweir", times.ready.decimals(), times.reloaded.decimals())
	}
	fmt.Println()
	return nil
}

// startAims are start and reload of a large site.
func (b *bench) startAims() ([]aim, error) {
	times, err := b.measureStart(contender{})
	if err != nil {
		return nil, err
	}
	return []aim{
		{What: "start to ready: a million recipients, 40,000 phrases, 10 million triplets", Bound: atMost(1.5, "s"), Got: times.ready},
		{What: "reload of the same, nothing changed", Bound: atMost(20, "ms"), Got: times.reloaded},
	}, nil
}

// measureStart starts this program or that of -against in each round.
func (b *bench) measureStart(c contender) (t startTimes, err error) {
	h := b.Part()
	defer h.Close()
	flags, err := b.startFlags(h)
	if err != nil {
		return t, err
	}
	for range b.rounds {
		if err := t.round(b, b.program(c), flags); err != nil {
			return t, err
		}
	}
	return t, nil
}

// startFlags are those of the large site, whose files are kept until h is closed.
func (b *bench) startFlags(h testbed.TB) ([]string, error) {
	dir := testbed.TempDir(h)
	flags := []string{
		"--local-domains=inline:{example.org=x}", "--greylist=enforce", "--http=off",
		"--recipient-source=*=" + filepath.Join(dir, "recipients"),
	}
	// Of what was written a moment ago nobody knows whether it is written again.
	err := writeOld(filepath.Join(dir, "recipients"), strings.Join(mailboxesOf(startMailboxes), " x\n")+" x\n")
	if err != nil {
		return nil, err
	}
	words := phrases(startDefinitions*startPhrases, commonWords)
	for i := range startDefinitions {
		file := filepath.Join(dir, fmt.Sprintf("%d.def", i))
		if err := writeOld(file, definitionOf(words[i*startPhrases:(i+1)*startPhrases])); err != nil {
			return nil, err
		}
		flags = append(flags, "--content-definition="+file)
	}
	if b.stateDir == "" {
		return flags, nil
	}
	full, run := filepath.Join(b.stateDir, "full"), filepath.Join(b.stateDir, "start")
	if err := fillState(full, b.stateRows); err != nil {
		return nil, err
	}
	h.Cleanup(func() { _ = os.RemoveAll(run) }) // gigabytes
	return append(flags, "--state=file:"+run), copyState(full, run)
}

// round starts the program, has it reload, and ends it.
func (t *startTimes) round(b *bench, program string, flags []string) error {
	h := b.Part()
	defer h.Close()
	began := time.Now()
	m := testbed.LaunchMailweir(h, testbed.MailweirConfig{Binary: program, Flags: flags})
	m.Await(h)
	t.ready = append(t.ready, time.Since(began).Seconds())
	if err := says(m, "mailweir is ready"); err != nil { // it acts on SIGHUP from then on
		return err
	}
	began = time.Now()
	if err := m.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	if err := says(m, "policy loaded"); err != nil {
		return err
	}
	t.reloaded = append(t.reloaded, float64(time.Since(began).Microseconds())/1000)
	return nil
}

// says waits for a line of the log.
func says(m *testbed.Mailweir, text string) error {
	if _, found := m.Log.Wait(0, func(line string) bool { return strings.Contains(line, text) }); !found {
		return fmt.Errorf("the log never says %q:\n%s", text, m.Log)
	}
	return nil
}
