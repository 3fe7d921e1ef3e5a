package testbed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"

	"mailweir/test/testbed/stacks"
)

// MailweirConfig says how to start a mailweir.
type MailweirConfig struct {
	Binary string   // program, from BuildMailweir
	Socket string   // path of the unix socket; one in a directory of its own if empty
	Flags  []string // beside the harness's own (see StartMailweir)
	Dir    string   // working directory; the current one if empty
}

// Mailweir is a running mailweir serve.
type Mailweir struct {
	*Process
	Socket string // path of its milter socket
	HTTP   string // address of /metrics and health; "" with --http=off

	told  string // socket that tells of its goroutines
	first *stock // what it held when it was ready
}

// noResolver is an address where no name server is: no test asks the network.
const noResolver = "127.0.0.1:1"

// StartMailweir starts mailweir serve with a clean environment and waits until
// it answers on its milter socket. Flags of the harness (socket, JSON log, HTTP
// at a free port, state in memory, no name server) are left out where
// config.Flags has them.
func StartMailweir(tb TB, config MailweirConfig) *Mailweir {
	tb.Helper()
	m := LaunchMailweir(tb, config)
	m.Await(tb)
	if !HasFlag(config.Flags, "--http=off") || contains(config.Flags, "--http=127.0.0.1:0") {
		m.AwaitHTTP(tb)
	}
	if err := m.takeStock(); err != nil {
		tb.Fatalf("mailweir: %v\n%s", err, m.Log)
	}
	return m
}

// LaunchMailweir is StartMailweir without waiting for anything: for a mailweir that is killed while
// it starts, or that has no quiet moment in which [Mailweir.Close] could compare what is open.
func LaunchMailweir(tb TB, config MailweirConfig) *Mailweir {
	tb.Helper()
	socket := config.Socket
	if socket == "" {
		socket = filepath.Join(TempDir(tb), "mw.sock")
	}
	args := []string{"serve"}
	own := []string{
		"--listen=unix:" + socket, "--log-format=json", "--http=127.0.0.1:0", "--state=memory:",
		"--dns=" + noResolver,
	}
	for _, flag := range own {
		if !HasFlag(config.Flags, flag) {
			args = append(args, flag)
		}
	}
	cmd := exec.Command(config.Binary, append(args, config.Flags...)...)
	cmd.Dir = config.Dir
	told := filepath.Join(TempDir(tb), "stacks")
	cmd.Env = Environment(stacks.Socket + "=" + told)
	return &Mailweir{Process: start(tb, cmd), Socket: socket, told: told}
}

// Await waits until mailweir answers on its milter socket.
func (m *Mailweir) Await(tb TB) {
	tb.Helper()
	if err := untilOr(m.done, func() error { return Negotiate(m.Socket) }); err != nil {
		tb.Fatalf("%s: %v\n%s", m.cmd, err, m.Log)
	}
}

// AwaitHTTP waits until mailweir answers at its HTTP listener, for one that was launched; it asks
// for no metrics.
func (m *Mailweir) AwaitHTTP(tb TB) {
	tb.Helper()
	if err := untilOr(m.done, m.findHTTP); err != nil {
		tb.Fatalf("%s: %v\n%s", m.cmd, err, m.Log)
	}
}

// HasFlag tells whether flags set the same flag as "--name=value" or "--name".
func HasFlag(flags []string, flag string) bool {
	name, _, _ := strings.Cut(flag, "=")
	for _, f := range flags {
		if given, _, _ := strings.Cut(f, "="); given == name {
			return true
		}
	}
	return false
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// findHTTP looks for the listener that answers /livez; the kernel chose its port.
func (m *Mailweir) findHTTP() error {
	addresses, err := listening(m.PID())
	if err != nil {
		return err
	}
	for _, address := range addresses {
		if _, err := get("http://" + address + "/livez"); err == nil {
			m.HTTP = address
			return nil
		}
	}
	return fmt.Errorf("none of the ports %q answers /livez", addresses)
}

// get fetches a page; it keeps no connection open, so that goroutines and
// descriptors before and after can be compared.
func get(url string) ([]byte, error) {
	client := http.Client{Timeout: Patience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, answer.Status, bytes.TrimSpace(body))
	}
	return body, err
}

// Get fetches a path of the HTTP listener, such as "/readyz". Any status but 200
// is an error.
func (m *Mailweir) Get(path string) ([]byte, error) { return get("http://" + m.HTTP + path) }

// Metric returns the value of one metric, named with its labels as /metrics
// prints it: `mailweir_decisions_total{check="hops",code="554",mode="enforce"}`.
func (m *Mailweir) Metric(name string) (float64, error) {
	page, err := m.Get("/metrics")
	if err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(page)); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name+" "); found {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("/metrics has no %s", name)
}

// Entry is one line of the JSON log, its values printed as text.
type Entry map[string]string

// Has tells whether the entry has all these fields with exactly these values; an
// empty value means that the field is absent or empty.
func (e Entry) Has(want Entry) bool {
	for name, value := range want {
		if e[name] != value {
			return false
		}
	}
	return true
}

// String prints the fields in order of their names.
func (e Entry) String() string {
	var fields []string
	for name, value := range e {
		fields = append(fields, name+"="+strconv.Quote(value))
	}
	sort.Strings(fields)
	return strings.Join(fields, " ")
}

// ParseEntry reads a line of the log, and reports whether it is one.
func ParseEntry(line string) (Entry, bool) {
	var raw map[string]any
	decoder := json.NewDecoder(strings.NewReader(line))
	decoder.UseNumber() // numbers as they were printed
	if err := decoder.Decode(&raw); err != nil {
		return nil, false
	}
	entry := make(Entry, len(raw))
	for name, value := range raw {
		entry[name] = fmt.Sprint(value)
	}
	return entry, true
}

// Entries returns the log so far, without lines that are not JSON.
func (m *Mailweir) Entries() []Entry {
	var entries []Entry
	for _, line := range m.Log.Lines() {
		if entry, ok := ParseEntry(line); ok {
			entries = append(entries, entry)
		}
	}
	return entries
}

// WaitEntry waits for a log line, among those from the given line number on,
// that has all these fields.
func (m *Mailweir) WaitEntry(from int, want Entry) (Entry, error) {
	line, found := m.Log.Wait(from, func(line string) bool {
		entry, ok := ParseEntry(line)
		return ok && entry.Has(want)
	})
	if !found {
		return nil, fmt.Errorf("no log line with %s within %v", want, Patience)
	}
	entry, _ := ParseEntry(line)
	return entry, nil
}

// WaitEntries waits until so many log lines have all these fields.
func (m *Mailweir) WaitEntries(count int, want Entry) error {
	found := 0
	_, enough := m.Log.Wait(0, func(line string) bool {
		if entry, ok := ParseEntry(line); ok && entry.Has(want) {
			found++
		}
		return found == count
	})
	if !enough {
		return fmt.Errorf("%d of %d log lines with %s within %v", found, count, want, Patience)
	}
	return nil
}

// WaitEvent waits for the log line of the event with this id ("mw-…").
func (m *Mailweir) WaitEvent(id string) (Entry, error) {
	return m.WaitEntry(0, Entry{"event": id})
}

// Reload sends SIGHUP and waits for a log line written after it that has all
// these fields.
func (m *Mailweir) Reload(want Entry) (Entry, error) {
	from := len(m.Log.Lines())
	if err := m.Signal(syscall.SIGHUP); err != nil {
		return nil, err
	}
	return m.WaitEntry(from, want)
}

// takeStock notes what the process holds when nothing is going on: the same three times in a row.
func (m *Mailweir) takeStock() error {
	alike := 0
	return Until(func() error {
		now, err := m.stock()
		if err != nil {
			return err
		}
		if alike++; m.first == nil || !now.same(m.first) {
			alike = 0
		}
		if m.first = now; alike < 2 {
			return errors.New("what it holds does not settle")
		}
		return nil
	})
}

// Close stops the mailweir: every session must be gone with its descriptors and
// goroutines, and it must end as End says. It returns everything that was not so.
func (m *Mailweir) Close() error {
	leak := Until(func() error {
		now, err := m.stock()
		if err != nil {
			return err
		}
		return m.first.leak(now)
	})
	return errors.Join(leak, m.End())
}

// End stops a mailweir that keeps connections open for reuse, as to a shared
// state: SIGTERM must end it with exit status 0, and nothing may have raced.
func (m *Mailweir) End() error {
	problems := []error{m.Stop()}
	if state := m.cmd.ProcessState; !state.Success() {
		problems = append(problems, fmt.Errorf("SIGTERM: %s; want exit status 0", state))
	}
	if text := m.Log.String(); strings.Contains(text, "WARNING: DATA RACE") {
		problems = append(problems, errors.New("data race"))
	}
	return errors.Join(problems...)
}
