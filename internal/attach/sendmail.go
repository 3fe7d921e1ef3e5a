package attach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"mailweir/internal/mta"
	"mailweir/internal/mta/sendmail"
)

// sendmailServer is a Sendmail. Its mc file alone is edited; the cf file is what m4 makes of it.
type sendmailServer struct {
	host *Host
	dir  string
	cf   *sendmail.CF
}

// filterName is that of mailweir among Sendmail's filters.
const filterName = "mailweir"

// sendmail reads the Sendmail whose configuration is in a directory. The cf file must be what the
// mc file makes: an edit of the cf file would be lost.
func (h *Host) sendmail(ctx context.Context, dir string) (*sendmailServer, error) {
	cf, err := sendmail.ReadCF(filepath.Join(dir, "sendmail.cf"))
	if err != nil {
		return nil, err
	}
	s := &sendmailServer{host: h, dir: dir, cf: cf}
	compiled, err := sendmail.ReadCompiled(ctx, h.Run, "sendmail", filepath.Join(dir, "sendmail.cf"))
	if err != nil {
		return nil, err
	}
	if !compiled.Has("MILTER") {
		return nil, errors.New("this Sendmail was compiled without MILTER")
	}
	// The host's own names are not in the file: Sendmail finds them when it starts.
	out, err := h.Run(ctx, "$=w\n", "sendmail", "-C", filepath.Join(dir, "sendmail.cf"), "-bt")
	if err != nil {
		return nil, err
	}
	cf.Classes["w"] = append(cf.Classes["w"], ownNames(out.Stdout)...)
	return s, nil
}

// ownNames are what "sendmail -bt" prints of a class: a word a line, the first behind a prompt. Its
// own lines have blanks.
func ownNames(printed string) (names []string) {
	for line := range strings.Lines(printed) {
		line = strings.Trim(line, "> \r\n")
		if line != "" && !strings.ContainsAny(line, " \t") {
			names = append(names, line)
		}
	}
	return names
}

func (*sendmailServer) name() string { return "sendmail" }

func (s *sendmailServer) config() string { return s.dir }

func (s *sendmailServer) file(name string) string { return filepath.Join(s.dir, name) }

func (s *sendmailServer) propose() *Proposal { return proposeSendmail(s.cf) }

// socket is systemd's, or the first of --listen.
func (s *sendmailServer) socket(h *Host) place {
	if h.Units == "" {
		return sendmailPlace(h.Listen[0])
	}
	p := place{Address: "unix:" + usualSocket, Network: "unix", Path: usualSocket}
	if user := s.user(); user != "root" {
		p.DropIn = "[Socket]\n# Sendmail, which runs as " + user + ", connects.\nSocketUser=" + user + "\nSocketMode=0660\n"
	}
	return p
}

// sendmailPlace writes inet:HOST:PORT as Sendmail has it: inet:PORT@HOST.
func sendmailPlace(listen string) place {
	kind, rest, _ := strings.Cut(listen, ":")
	if kind == "unix" {
		return place{Address: listen, Network: "unix", Path: rest}
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil {
		return place{Address: listen, Network: "tcp", Path: rest}
	}
	family := "inet"
	if strings.Contains(host, ":") {
		family = "inet6"
	}
	return place{Address: family + ":" + port + "@" + host, Network: "tcp", Path: rest}
}

// user is whom the daemon becomes.
func (s *sendmailServer) user() string {
	user, _, _ := strings.Cut(s.cf.Options["RunAsUser"], ":")
	if user == "" {
		return "root"
	}
	return user
}

func (s *sendmailServer) account() (mta.Account, error) { return mta.LookupAccount(s.user()) }

// attach puts our filter first.
func (s *sendmailServer) attach(ctx context.Context, address string, _ []string) ([]Change, []setting, error) {
	return s.edit(ctx, func(text string) (string, error) { return attachMC(text, address, "", s.cf) })
}

func (s *sendmailServer) setAction(ctx context.Context, address, action string) ([]Change, []setting, error) {
	return s.edit(ctx, func(text string) (string, error) {
		without, err := detachMC(text)
		if err != nil || without == text {
			return text, err
		}
		return attachMC(without, address, action, s.cf)
	})
}

func (s *sendmailServer) detach(ctx context.Context, _ *record) (changes []Change, left []string, err error) {
	changes, _, err = s.edit(ctx, detachMC)
	return changes, nil, err
}

// moved: sendmail.mc and sendmail.cf are written in place.
func (*sendmailServer) moved(*record) (bool, error) { return false, nil }

// edit changes the mc file, makes the cf file of it beside, and tries that.
func (s *sendmailServer) edit(ctx context.Context, edit func(string) (string, error)) ([]Change, []setting, error) {
	mc, err := readChange(s.file("sendmail.mc"))
	if err != nil {
		return nil, nil, err
	}
	cf, err := readChange(s.file("sendmail.cf"))
	if err != nil {
		return nil, nil, err
	}
	if mc.Before == nil || cf.Before == nil {
		return nil, nil, fmt.Errorf("%s has no sendmail.mc or no sendmail.cf", s.dir)
	}
	if err := s.same(ctx, mc, cf); err != nil {
		return nil, nil, err
	}
	after, err := edit(string(mc.Before))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", mc.Path, err)
	}
	mc.After = []byte(after)
	if mc.nothing() {
		return []Change{mc, cf}, nil, nil
	}
	made, err := s.make(ctx, after)
	if err != nil {
		return nil, nil, err
	}
	cf.After, cf.Made = []byte(made), true
	return []Change{mc, cf}, nil, s.try(ctx, made, strings.Contains(after, filterName))
}

// same refuses a cf file that has something the mc file does not make.
func (s *sendmailServer) same(ctx context.Context, mc, cf Change) error {
	made, err := s.make(ctx, string(mc.Before))
	if err != nil {
		return err
	}
	want, got := rules(made), rules(string(cf.Before))
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			return fmt.Errorf("%s is not what m4 makes of %s: it has %q for %q. Make it of the mc file first (Debian: sendmailconfig), then run init again", cf.Path, mc.Path, got[i], want[i])
		}
	}
	if len(want) != len(got) {
		return fmt.Errorf("%s is not what m4 makes of %s: it has %d lines for %d. Make it of the mc file first (Debian: sendmailconfig), then run init again", cf.Path, mc.Path, len(got), len(want))
	}
	return nil
}

// rules are the lines of a cf file that count.
func rules(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, " \t\r\n"); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

// make has m4 make a cf file.
func (s *sendmailServer) make(ctx context.Context, mc string) (string, error) {
	out, err := s.host.Run(ctx, mc, "m4", "-I", s.dir, "-")
	if err != nil {
		return "", err
	}
	if !strings.Contains(out.Stdout, "\nMlocal") && !strings.Contains(out.Stdout, "\nMsmtp") && !strings.Contains(out.Stdout, "\nMrelay") {
		return "", fmt.Errorf("m4 makes no configuration of %s; does it include cf.m4?", s.file("sendmail.mc"))
	}
	return out.Stdout, nil
}

// try has Sendmail read a cf file, and looks whether it would ask us. Sendmail itself says nothing
// of a filter that is not named, or named and unknown.
func (s *sendmailServer) try(ctx context.Context, text string, attached bool) error {
	dir, err := os.MkdirTemp("", "mailweir-sendmail-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "sendmail.cf")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		return err
	}
	if _, err := s.host.Run(ctx, "", "sendmail", "-C", name, "-bt"); err != nil {
		return err
	}
	cf := sendmail.ParseCF(text)
	if !attached {
		return nil
	}
	if filters := cf.InputFilters(nil); len(filters) == 0 || filters[0] != filterName || cf.Filter(filterName) == nil {
		return fmt.Errorf("%s names the filters again behind ours: O InputMailFilters=%s", s.file("sendmail.mc"), strings.Join(filters, ", "))
	}
	if d := mxDaemon(cf); d != nil {
		if filters := cf.InputFilters(d); len(filters) == 0 || filters[0] != filterName {
			return fmt.Errorf("the daemon %s has InputMailFilters=%s of its own, without mailweir", d.Name, strings.Join(filters, ";"))
		}
	}
	return nil
}

// mxDaemon is that for mail from outside; nil where none is named, and Sendmail listens at port 25.
func mxDaemon(cf *sendmail.CF) *sendmail.Daemon {
	for i, d := range cf.Daemons {
		if d.Port == "" || d.Port == "smtp" || d.Port == "25" {
			return &cf.Daemons[i]
		}
	}
	for i, d := range cf.Daemons {
		filters, own := d.Options["I"]
		if port := portNumber(d.Port); port != 587 && port != 465 && (!own || filters != "") {
			return &cf.Daemons[i]
		}
	}
	return nil
}

// pid is the daemon's, 0 where it does not run.
func (s *sendmailServer) pid() int {
	name := s.cf.Options["PidFile"]
	if name == "" {
		name = "/var/run/sendmail.pid"
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(data), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid < 2 || syscall.Kill(pid, 0) != nil {
		return 0
	}
	return pid
}

func (s *sendmailServer) running(context.Context) bool { return s.pid() != 0 }

// reload restarts it: Sendmail reads its files when it starts. SIGHUP has it do so by itself.
func (s *sendmailServer) reload(ctx context.Context) error {
	if s.host.Units != "" {
		if out, err := s.host.systemctl(ctx, "show", "-p", "ActiveState", "--value", "sendmail.service"); err == nil && strings.TrimSpace(out) == "active" {
			_, err := s.host.systemctl(ctx, "restart", "sendmail.service")
			return err
		}
	}
	pid := s.pid()
	if pid == 0 {
		return errors.New("sendmail does not run")
	}
	return syscall.Kill(pid, syscall.SIGHUP)
}

func (s *sendmailServer) restart(ctx context.Context) error { return s.reload(ctx) }

func (s *sendmailServer) probe() *mta.Probe {
	host, port := "127.0.0.1", 25
	if d := mxDaemon(s.cf); d != nil {
		if ip := net.ParseIP(strings.TrimPrefix(d.Addr, "IPv6:")); ip != nil && !ip.IsUnspecified() {
			host = ip.String()
		}
		if n := portNumber(d.Port); n != 0 {
			port = n
		}
	}
	return &mta.Probe{Address: net.JoinHostPort(host, strconv.Itoa(port)), Helo: "localhost"}
}
