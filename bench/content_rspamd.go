package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mailweir/test/testbed"
)

// rspamd is a running rspamd that does nothing but take messages apart and look for expressions in
// their text.
type rspamd struct {
	pid  int // of its main process
	url  string
	log  string
	next int // message to examine
}

// rspamdPlugins is where Debian's package has the modules.
const rspamdPlugins = "/usr/share/rspamd/plugins"

// rspamdConf has one worker and one module, no network, no statistics and no rules of its own.
// Without suffixes of domains it finds hardly a link in plain text. It detects the language all the
// same.
const rspamdConf = `options {
	pidfile = "DIR/rspamd.pid"; tempdir = "DIR"; hs_cache_dir = "DIR"; cache_file = "DIR/symbols.cache";
	filters = ""; explicit_modules = []; url_tld = "DIR/suffixes"; task_timeout = 120s; max_message = 200Mb;
	dns { nameserver = ["127.0.0.1:1"]; sockets = 1; retransmits = 1; timeout = 1s; }
}
logging { type = "file"; filename = "DIR/rspamd.log"; level = "error"; }
worker "normal" { bind_socket = "ADDRESS"; count = 1; task_timeout = 120s; }
lua = "DIR/rspamd.lua";
modules { path = "` + rspamdPlugins + `/multimap.lua"; }
multimap { BENCH { type = "content"; filter = "text"; regexp = true; multi = true; map = "DIR/expressions.map"; score = 1.0; } }
actions { reject = 1000000; }
`

// compiles is how long rspamd may take to start: Hyperscan compiles its expressions.
const compiles = 5 * time.Minute

// startRspamd starts one that looks for these expressions, until h is closed.
func startRspamd(h testbed.TB, home string, expressions []string) (*rspamd, error) {
	dir := filepath.Join(home, "rspamd") // keeps what is compiled for the next one
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	address := testbed.FreeAddress(h)
	err := writeAll(dir, map[string]string{
		"rspamd.conf":     strings.NewReplacer("DIR", dir, "ADDRESS", address).Replace(rspamdConf),
		"rspamd.lua":      "require \"global_functions\" ()\n",
		"suffixes":        "com\n",
		"expressions.map": "/" + strings.Join(expressions, "/i\n/") + "/i\n",
	})
	if err != nil {
		return nil, err
	}
	pid, err := runRspamd(h, dir)
	if err != nil {
		return nil, err
	}
	r := &rspamd{pid: pid, url: "http://" + address + "/checkv2", log: filepath.Join(dir, "rspamd.log")}
	return r, r.ready()
}

// runRspamd runs the rspamd of a directory with its configuration, until h is closed.
func runRspamd(h testbed.TB, dir string) (pid int, err error) {
	args := []string{"--no-fork", "--config=" + filepath.Join(dir, "rspamd.conf")}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root", "--group=root")
	}
	cmd := exec.Command("rspamd", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	h.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it was told to end
	})
	return cmd.Process.Pid, nil
}

// writeAll writes files into a directory.
func writeAll(dir string, files map[string]string) error {
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// ready waits until it examines.
func (r *rspamd) ready() error {
	var err error
	for deadline := time.Now().Add(compiles); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if _, err = r.examine(letter{Fields: fields()}); err == nil {
			return nil
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			break
		}
	}
	log, _ := os.ReadFile(r.log)
	return fmt.Errorf("rspamd: %w\n%s", err, log)
}

// examine has a message examined and returns the answer.
func (r *rspamd) examine(l letter) ([]byte, error) {
	answer, err := http.Post(r.url, "message/rfc822", strings.NewReader(l.String()))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("rspamd answers %s: %s", answer.Status, body)
	}
	return body, err
}

// finds makes sure that it looks for the expressions at all.
func (r *rspamd) finds(text string) error {
	answer, err := r.examine(letter{Fields: fields(), Body: text + "\r\n"})
	if err == nil && !bytes.Contains(answer, []byte(`"BENCH"`)) {
		err = fmt.Errorf("rspamd does not find %q: %s", text, answer)
	}
	return err
}

// control is a text that an entry matches.
func control(entry string) string { return strings.ReplaceAll(entry, ".{0,20}", " ") }

// measure returns octets a second of processor time. It goes on with the messages where the last
// call ended.
func (r *rspamd) measure(letters []letter, duration time.Duration) (float64, error) {
	before, err := familyCPU(r.pid)
	if err != nil {
		return 0, err
	}
	octets, after := 0, before
	for after-before < duration {
		l := letters[r.next%len(letters)]
		r.next++
		if _, err := r.examine(l); err != nil {
			return 0, err
		}
		octets += len(l.String())
		if after, err = familyCPU(r.pid); err != nil {
			return 0, err
		}
	}
	return float64(octets) / (after - before).Seconds(), nil
}
