// Bench measures mailweir beside a libmilter filter in C that does nothing, and beside other peers:
//
//	go run ./bench                     # the aims; "make bench" writes them to docs/measurements
//	go run ./bench -aims policy        # the rows of one part
//	go run ./bench -only wire,postfix  # long tables; "all" takes an hour or two
//	go run ./bench -only policy -against old/mailweir
//
// The contenders take turns in the same run, so that a busy machine is unfair to all of them.
// parts.go lists the parts; the file of each bears its name. A part that has aims gives its rows
// to aims_run.go, and aims_page.go prints them.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailweir/test/testbed"
)

// settings are the command's flags.
type settings struct {
	rounds   int
	duration time.Duration
	messages int
	only     string
	aims     string
	write    string
	mailweir string
	against  string
	states   string

	stateDir  string
	stateRows int
	stateFor  time.Duration

	recordRows int
	recordFor  time.Duration
}

// contender is a filter that takes part.
type contender struct {
	name   string
	flags  []string
	native bool // the C filter
	before bool // the program of -against
}

// String is the name as tables print it.
func (c contender) String() string {
	if c.before {
		return "before: " + c.name
	}
	return c.name
}

// contenders are what is compared; the first is the yardstick.
func contenders() []contender {
	return []contender{
		{name: "C filter that does nothing", native: true},
		{name: "mailweir, wire alone", flags: append(wireAlone, forgetful...)},
		{name: "mailweir, checks that remember nothing", flags: forgetful},
		{name: "mailweir, default policy"},
	}
}

// wireAlone turns every check off that is on by default.
var wireAlone = []string{"--address=off", "--hops=off", "--rcpt-limit=off", "--size=off", "--load=off", "--require-auth=off"}

// forgetful turns off the checks that remember or examine, which are monitored by default.
var forgetful = []string{
	"--tempblock=off", "--concurrency=off", "--outbound-limit=off", "--reputation=off", "--greylist=off", "--truncated=off",
	"--account=off", "--managed=off", "--auto-allow=off", "--lockout=off",
}

func main() {
	var s settings
	flag.IntVar(&s.rounds, "rounds", 5, "rounds; medians are printed")
	flag.DurationVar(&s.duration, "for", 3*time.Second, "length of a round over the milter protocol")
	flag.IntVar(&s.messages, "messages", 2000, "messages of a round through Postfix")
	flag.StringVar(&s.only, "only", "aims", "aims, or the parts whose long tables are printed, or all: "+strings.Join(namesOf(parts(), part.hasRun), ", "))
	flag.StringVar(&s.aims, "aims", "all", "the parts whose aims are measured: "+strings.Join(namesOf(parts(), part.hasAims), ", "))
	flag.StringVar(&s.write, "write", "", "directory where aims.md is written, too")
	flag.StringVar(&s.mailweir, "mailweir", "", "a mailweir program; built from this tree if empty, \"none\" leaves it out")
	flag.StringVar(&s.against, "against", "", "an older mailweir program that takes part in wire, postfix, memory, idle and policy")
	flag.StringVar(&s.states, "states", "", "where checks remember in the part policy: memory, file, redis; all of them if empty")
	flag.StringVar(&s.stateDir, "state-dir", "/var/tmp/mailweir-bench", "where what takes long to make is kept: a store of millions of triplets, some 8 GB")
	flag.IntVar(&s.stateRows, "state-rows", 10_000_000, "triplets in it")
	flag.DurationVar(&s.stateFor, "state-for", time.Minute, "how long decisions are made at a steady rate")
	flag.IntVar(&s.recordRows, "record-rows", 2_000_000, "entries in the record of -only record")
	flag.DurationVar(&s.recordFor, "record-for", time.Minute, "how long -only record gives decisions at a steady rate")
	run := flag.String("state-run", "", "for the bench itself: be one of its processes")
	aimsOf := flag.String("aims-of", "", "for the bench itself: be the process of a part's aims")
	flag.Parse()
	if *run != "" {
		beStateRun(*run)
		return
	}
	h := testbed.NewProgram("bench")
	b := prepare(h, s)
	if err := b.choose(*aimsOf); err != nil {
		h.Fatalf("bench: %v", err)
	}
	h.Close()
	if h.Failed() {
		os.Exit(1)
	}
}

// choose runs what the flags ask for.
func (b *bench) choose(aimsOf string) error {
	switch {
	case aimsOf != "":
		return b.beAims(aimsOf)
	case b.only == "aims":
		return b.allAims()
	}
	names, err := chosen(b.only, namesOf(parts(), part.hasRun))
	if err != nil {
		return err
	}
	for _, p := range parts() {
		if !slices.Contains(names, p.name) {
			continue
		}
		if err := p.run(b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// bench holds what all parts need.
type bench struct {
	*testbed.Program
	settings
	noop       string // program
	contenders []contender
}

func prepare(h *testbed.Program, s settings) *bench {
	b := &bench{Program: h, settings: s, noop: testbed.BuildNoop(h), contenders: contenders()}
	switch s.mailweir {
	case "":
		b.mailweir = testbed.BuildMailweir(h)
	case "none":
		b.contenders = b.contenders[:1]
	}
	if s.against != "" {
		for _, c := range b.contenders[1:] {
			c.before = true
			b.contenders = append(b.contenders, c)
		}
	}
	return b
}

// start starts a contender on a socket ("" makes one), until h is closed, and
// returns its process id and its socket.
func (b *bench) start(h testbed.TB, c contender, socket string) (pid int, path string) {
	if c.native {
		if socket == "" {
			socket = filepath.Join(testbed.TempDir(h), "noop.sock")
		}
		return testbed.StartNoop(h, b.noop, socket).PID(), socket
	}
	m := testbed.StartMailweir(h, testbed.MailweirConfig{Binary: b.program(c), Socket: socket, Flags: c.flags})
	return m.PID(), m.Socket
}

// program is the mailweir program of a contender.
func (b *bench) program(c contender) string {
	if c.before {
		return b.against
	}
	return b.mailweir
}

// ofBefore compares the samples of a contender with those of the same policy in the program of
// -against: "" where it has none.
func ofBefore(contenders []contender, samples []sample, i int) string {
	for j, c := range contenders {
		if c.before && !contenders[i].before && c.name == contenders[i].name {
			return samples[i].against(samples[j])
		}
	}
	return ""
}

// row prints one line of a table.
func row(cells ...any) {
	fmt.Print("|")
	for _, cell := range cells {
		fmt.Printf(" %v |", cell)
	}
	fmt.Println()
}
