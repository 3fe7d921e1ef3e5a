package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mailweir/test/testbed"
)

// siteRspamdConf is rspamd as a milter that examines by itself, with what it has for the same
// policy: lists, phrases, recipients, kinds of files, SPF, greylisting and limits, these two on
// Redis. What it greylists is only what seems to be spam, as it does unless told otherwise.
const siteRspamdConf = `options {
	pidfile = "DIR/rspamd.pid"; tempdir = "DIR"; hs_cache_dir = "DIR"; cache_file = "DIR/symbols.cache";
	filters = "spf"; explicit_modules = []; url_tld = "DIR/suffixes";
	dns { nameserver = ["DNS"]; timeout = 1s; retransmits = 2; sockets = 16; }
}
logging { type = "file"; filename = "DIR/rspamd.log"; level = "error"; }
worker "rspamd_proxy" {
	bind_socket = "DIR/milter.sock mode=0666"; count = 1; timeout = 120s; milter = yes;
	upstream "local" { default = yes; self_scan = yes; }
}
lua = "DIR/rspamd.lua";
modules { MODULES }
redis { servers = "REDIS"; }
multimap {
	DEFINITIONS
	RECIPIENTS { type = "rcpt"; map = "DIR/recipients.map"; score = 0.0; }
}
rbl { rbls { LISTS } }
mime_types { }
greylist { timeout = 1s; }
ratelimit { rates { to_ip { bucket { burst = 1000000; rate = "100000 / 1s"; } } } }
actions { reject = 15; add_header = 6; greylist = 4; }
`

// startRspamd starts one with the same policy, and returns its process and its milter socket.
func (s siteBed) startRspamd() (pid int, socket string, err error) {
	dir := filepath.Join(s.dir, "rspamd")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, "", err
	}
	var definitions, lists, modules strings.Builder
	files := map[string]string{
		"rspamd.lua":     "require \"global_functions\" ()\n",
		"suffixes":       "com\nnet\norg\nexample\n",
		"recipients.map": strings.Join(mailboxesOf(siteMailboxes), "\n") + "\n",
	}
	for i := range siteDefinitions {
		name := fmt.Sprintf("%d.map", i)
		fmt.Fprintf(&definitions, "DEFINITION_%d { type = \"content\"; filter = \"text\"; regexp = true; multi = true; map = \"DIR/%s\"; score = 0.0; }\n", i, name)
		files[name] = "/" + strings.Join(contentCase{}.expressions(s.definition(i)), "/i\n/") + "/i\n"
	}
	for i := range siteLists {
		fmt.Fprintf(&lists, "l%[1]d { rbl = \"l%[1]d.example\"; symbol = \"LIST_%[1]d\"; ipv4 = true; ipv6 = true; checks = [\"from\"]; }\n", i)
	}
	for _, name := range []string{"multimap", "rbl", "mime_types", "greylist", "ratelimit"} {
		fmt.Fprintf(&modules, "path = \"%s/%s.lua\";\n", rspamdPlugins, name)
	}
	text := strings.NewReplacer("DEFINITIONS", definitions.String(), "LISTS", lists.String(), "MODULES", modules.String()).Replace(siteRspamdConf)
	files["rspamd.conf"] = strings.NewReplacer("DIR", dir, "DNS", s.dns, "REDIS", testbed.StartRedis(s.h).Address).Replace(text)
	if err := writeAll(dir, files); err != nil {
		return 0, "", err
	}
	pid, err = runRspamd(s.h, dir)
	if err != nil {
		return 0, "", err
	}
	socket = filepath.Join(dir, "milter.sock")
	return pid, socket, answersAsMilter(socket, filepath.Join(dir, "rspamd.log"))
}

// answersAsMilter waits until a message goes through.
func answersAsMilter(socket, log string) error {
	var err error
	for deadline := time.Now().Add(compiles); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		err = load{socket: socket, letters: usualLetters(1, bodySize)}.once()
		if netErr := (*net.OpError)(nil); !errors.As(err, &netErr) || netErr.Op != "dial" {
			break
		}
	}
	if err == nil {
		return nil
	}
	text, _ := os.ReadFile(log)
	return fmt.Errorf("rspamd: %w\n%s", err, text)
}
