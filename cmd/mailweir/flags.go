package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"mailweir/checks"
	"mailweir/internal/admin"
	"mailweir/internal/config"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/milter"
)

type draft = *runner.Draft

// daemonFlags are those of the process; the policy's own are in its draft.
type daemonFlags struct {
	listen      *[]string
	listenMode  *string
	listenGroup *string
	listenFrom  *[]string
	http        *string
	control     *string
	state       *string
	dns         *[]string
	tableCache  *time.Duration
	logFormat   *string
	logLevel    *string
	logAccepted *bool
	drain       *time.Duration
	watch       *time.Duration
	auth        *authFlags
	record      *recordFlags
	console     *consoleFlags
}

// Where mailweir listens, and the DNS servers that it asks, unless told otherwise.
const (
	defaultListen = "inet:127.0.0.1:8424"
	defaultDNS    = "those of /etc/resolv.conf"
)

// unset is what a flag without a value stands for, "" where that is nothing.
func unset(flag string) string {
	switch flag {
	case "listen":
		return defaultListen
	case "dns":
		return defaultDNS
	}
	return ""
}

// register registers every flag of serve.
func register(set *pflag.FlagSet) (*daemonFlags, draft) {
	return registerDaemon(set), runner.NewDraft(checks.Registry(), set)
}

func registerDaemon(set *pflag.FlagSet) *daemonFlags {
	f := policy.NewFlags(set, "")
	d := &daemonFlags{}
	f.String(config.FileFlag, "", "FILE", "file with more flags, one a line (default "+usualConfig+" where it exists)")
	f.String(config.DirFlag, "", "DIR", "directory of more such files, of which those named *.conf are read after it, by name (default conf.d beside it); empty is none")
	d.listen = f.Strings("listen", "ADDRESS", "address to listen on, unix:/PATH, inet:HOST:PORT, or systemd:NAME for a socket of systemd (default systemd:milter where systemd hands that over, else "+defaultListen+")")
	d.listenMode = f.String("listen-mode", "0660", "OCTAL", "permissions of unix sockets")
	d.listenGroup = f.String("listen-group", "", "GROUP", "group of unix sockets")
	d.listenFrom = f.Words("listen-from", nil, "NET,…", "networks, besides loopback, from which an MTA may connect; whatever it says is believed")
	d.http = f.String("http", "127.0.0.1:8425", "HOST:PORT|off", "address of /metrics, /livez and /readyz")
	d.control = f.String("control", "", "unix:/PATH", "socket for run-time commands, for its owner only; without it there are none")
	d.state = f.String("state", autoState, "file:DIR|redis://…|memory:", "where state is kept: file:DIR for one host, redis://HOST:PORT for several, memory: for trials; auto is file:$STATE_DIRECTORY or file:"+usualState+" where it exists, else memory:")
	d.dns = f.Words("dns", nil, "HOST[:PORT],…", "recursive DNS servers (default "+defaultDNS+")")
	d.tableCache = f.Duration("table-cache", time.Minute, "how long answers of tables that live elsewhere are kept, \"not found\" at most 10s; 0 asks each time")
	d.logFormat = f.String("log-format", "text", "text|json", "format of the log on standard error")
	d.logLevel = f.String("log-level", "info", "error|warning|info|debug", "what is logged; debug has a line for each message")
	d.logAccepted = f.Bool("log-accepted", false, "log a line for each message that is accepted")
	d.drain = f.Duration("drain", 30*time.Second, "how long SIGTERM waits for messages in progress")
	d.auth = registerAuth(f)
	d.record = registerRecord(f)
	d.console = registerConsole(f)
	d.watch = f.Duration("watch", 10*time.Second, "how often to look for changed files, 0 for on SIGHUP only")
	return d
}

// validate reports values that the process could not be started with.
func (d *daemonFlags) validate() error {
	_, logger := newLogger(d, io.Discard)
	_, from := listenFrom(*d.listenFrom)
	return errors.Join(validState(*d.state), logger, from, checkHTTP("http", *d.http), d.validControl(),
		d.auth.validate(), d.record.validate(), d.console.validate(), d.validListen())
}

func (d *daemonFlags) validControl() error {
	if *d.control == "" {
		return nil
	}
	if _, err := admin.SocketPath(*d.control); err != nil {
		return fmt.Errorf("--control: %w", err)
	}
	return nil
}

func (d *daemonFlags) validListen() error {
	options, err := d.listenOptions()
	if err != nil {
		return err
	}
	var wrong []error
	for _, address := range d.addresses() {
		wrong = append(wrong, checkListen(address, options))
	}
	return errors.Join(wrong...)
}

// checkHTTP reports an address at which nothing can be served. Go would listen at every address, at
// some port, where none is named.
func checkHTTP(flag, address string) error {
	if _, port, err := net.SplitHostPort(address); address != "off" && (err != nil || port == "") {
		return fmt.Errorf("--%s: %q is neither HOST:PORT nor off", flag, address)
	}
	return nil
}

// addresses are where to listen.
func (d *daemonFlags) addresses() []string {
	if len(*d.listen) == 0 {
		return []string{defaultListen}
	}
	return *d.listen
}

func (d *daemonFlags) listenOptions() (milter.ListenOptions, error) {
	return socketOptions("listen", *d.listenMode, *d.listenGroup)
}

// socketOptions reads --NAME-mode and --NAME-group.
func socketOptions(name, octal, group string) (milter.ListenOptions, error) {
	mode, err := strconv.ParseUint(octal, 8, 32)
	if err != nil || mode == 0 || mode > 0o777 {
		return milter.ListenOptions{}, fmt.Errorf("--%s-mode: %q is not an octal mode such as 0660", name, octal)
	}
	if err := checkGroup(group); err != nil {
		return milter.ListenOptions{}, fmt.Errorf("--%s-group: %w", name, err)
	}
	return milter.ListenOptions{Mode: os.FileMode(mode), Group: group}, nil
}

// checkGroup reports a name that is of no group of this host. A number need not be.
func checkGroup(group string) error {
	if _, err := strconv.ParseUint(group, 10, 31); group == "" || err == nil {
		return nil
	}
	_, err := user.LookupGroup(group)
	return err
}

// daemonChanges names the flags of the process that differ from other settings.
func (s *settings) daemonChanges(other *settings) []string {
	var changed []string
	process := pflag.NewFlagSet("process", pflag.ContinueOnError)
	registerDaemon(process)
	process.VisitAll(func(f *pflag.Flag) {
		switch f.Name {
		case config.FileFlag, config.DirFlag: // what they name is looked for at each reload
			return
		case "log-level", "log-accepted": // see logAs
			return
		}
		if s.flags.Lookup(f.Name).Value.String() != other.flags.Lookup(f.Name).Value.String() {
			changed = append(changed, f.Name)
		}
	})
	return changed
}
