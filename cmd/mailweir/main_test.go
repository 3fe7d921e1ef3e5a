package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mailweir/internal/config"
	"mailweir/test/testbed"
)

// program is what scripts run. Its usual file of flags is $WORK/etc/mailweir.conf, and never the
// machine's.
const program = "mailweir"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != program { // a script's own variables are its program's
		for _, variable := range os.Environ() {
			if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, config.Prefix) {
				_ = os.Unsetenv(name) // whoever runs the tests has a configuration of his own
			}
		}
	}
	testscript.Main(m, map[string]func(){program: func() {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, filepath.Join(os.Getenv("WORK"), "etc/mailweir.conf")))
	}})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			// No DNS of the machine, and no variables of whoever runs the tests.
			// The race detector ends each program with a second's sleep, and a script runs dozens.
			env.Vars = append(env.Vars, "MAILWEIR_DNS=127.0.0.1:9", testbed.RaceOptions())
			env.Values[daemonKey{}] = new(*running)
			env.Values[managerKey{}] = new(*manager)
			env.Values[heldKey{}] = new([]net.Conn)
			return os.Mkdir(filepath.Join(env.WorkDir, "state"), 0o700) // as systemd makes it
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "daemon": startDaemon, "waitlog": waitLog, "signal": signalDaemon, "ended": ended, "get": get,
			"descriptors": limitDescriptors, "hold": hold, "negotiate": negotiate, "visit": visit, "manager": startManager, "nomanager": endManager, "told": told,
		},
	})
}

// exits CODE COMMAND... runs a command and wants this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		_, code, _ = strings.Cut(err.Error(), "exit status ")
	}
	if code != args[0] {
		ts.Fatalf("exit code %s (%v), want %s", code, err, args[0])
	}
}
