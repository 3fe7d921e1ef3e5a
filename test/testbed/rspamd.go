package testbed

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Rspamd is one rspamd that can be stopped and started again at the same address. It says what a
// message asks for: Test-Score gives the score, Test-Action the action whatever the score is,
// Test-Milter what is to be done to the header, as JSON. GTUBE it knows by itself.
type Rspamd struct {
	Address string // of its normal worker
	Socket  string // the same as a unix socket
	*Process
	tb  TB
	cmd func() *exec.Cmd
}

// rspamdConf has one worker and no modules; thresholds are rspamd's own.
const rspamdConf = `options {
	pidfile = "DIR/pid"; tempdir = "DIR"; hs_cache_dir = "DIR"; cache_file = "DIR/symbols.cache";
	filters = ""; explicit_modules = []; url_tld = "DIR/suffixes"; history_rows = 1;
	dns { nameserver = ["127.0.0.1"]; sockets = 1; retransmits = 1; timeout = 0.1s; }
}
logging { type = "console"; level = "notice"; }
worker "normal" { bind_socket = "ADDRESS"; bind_socket = "DIR/s mode=0666"; count = 1; }
actions { reject = 15; add_header = 6; greylist = 4; discard = 14; }
lua = "DIR/rspamd.lua";
`

const rspamdRules = `require "global_functions" ()
local ucl = require "ucl"
rspamd_config:register_symbol({ name = 'TEST_SCORE', type = 'normal', score = 1.0, callback = function(task)
  local score = tonumber(task:get_header('Test-Score'))
  if score then return true, score, 'what it matched' end
end })
rspamd_config:register_symbol({ name = 'TEST_ACTION', type = 'prefilter', callback = function(task)
  local action = task:get_header('Test-Action')
  if action then task:set_pre_result(action, 'as the test says', 'test') end
end })
rspamd_config:register_symbol({ name = 'TEST_MILTER', type = 'idempotent', callback = function(task)
  local parser = ucl.parser()
  local text = task:get_header('Test-Milter')
  if text and parser:parse_string(text) then task:set_milter_reply(parser:get_object()) end
end })
`

// StartRspamd starts an rspamd.
func StartRspamd(tb TB) *Rspamd {
	tb.Helper()
	return StartRspamdWith(tb, "")
}

// StartRspamdWith starts an rspamd that has these settings as well.
func StartRspamdWith(tb TB, settings string) *Rspamd {
	tb.Helper()
	Require(tb, "rspamd")
	dir := TempDir(tb)
	r := &Rspamd{Address: FreeAddress(tb), Socket: filepath.Join(dir, "s"), tb: tb}
	conf := filepath.Join(dir, "rspamd.conf")
	writeFile(tb, conf, []byte(strings.NewReplacer("DIR", dir, "ADDRESS", r.Address).Replace(rspamdConf)+settings), 0o644)
	writeFile(tb, filepath.Join(dir, "rspamd.lua"), []byte(rspamdRules), 0o644)
	writeFile(tb, filepath.Join(dir, "suffixes"), []byte("com\n"), 0o644)
	args := []string{"--no-fork", "--config=" + conf}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root", "--group=root")
	}
	r.cmd = func() *exec.Cmd { return exec.Command("rspamd", args...) }
	r.Start()
	return r
}

// Start starts it after Stop or Kill.
func (r *Rspamd) Start() {
	r.tb.Helper()
	_ = os.Remove(r.Socket)
	r.Process = start(r.tb, r.cmd())
	if err := untilOr(r.done, r.greet); err != nil {
		r.tb.Fatalf("rspamd %s: %v\n%s", r.Address, err, r.Log)
	}
}

// Pause stops it without ending it: it takes connections and answers nothing.
func (r *Rspamd) Pause() { r.pauseAll() }

// Resume lets it go on.
func (r *Rspamd) Resume() { r.resumeAll() }

// Do is nothing that a scanner can be told.
func (r *Rspamd) Do(string) error { return errors.New("rspamd does what the message says") }

func (r *Rspamd) greet() error {
	client := http.Client{Timeout: Patience}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://" + r.Address + "/ping")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && strings.TrimSpace(string(text)) != "pong" {
		err = fmt.Errorf("it answers %q", text)
	}
	return err
}
