package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mailweir/internal/mta"
	"mailweir/internal/mta/postfix"
	"mailweir/internal/mta/sendmail"
)

// Servers says which mail servers are to be looked at.
type Servers struct {
	Run mta.Run
	// Postfix are the directories of main.cf; none stands for all instances that postmulti knows.
	Postfix []string
	// Sendmail is the cf file; a file that is not there stands for no Sendmail.
	Sendmail string
	// Root says that the rights of others can be taken on.
	Root bool
}

// connectWithin is how long a milter may take to answer the handshake.
const connectWithin = 5 * time.Second

// GatherPostfix reads the instances and tries the milters that they ask. No error and no instance
// is a host without Postfix.
func (s Servers) GatherPostfix(ctx context.Context) (all []*Postfix, err error) {
	instances := make([]postfix.Instance, 0, len(s.Postfix))
	for _, dir := range s.Postfix {
		instances = append(instances, postfix.Instance{Config: dir, Enabled: true})
	}
	if len(instances) == 0 {
		instances, err = postfix.Instances(ctx, s.Run)
		switch {
		case errors.Is(err, exec.ErrNotFound):
			return nil, nil
		case err != nil:
			return nil, err
		}
	}
	for i, one := range instances {
		if i > 0 && !one.Enabled {
			continue
		}
		read, err := postfix.Read(ctx, s.Run, one.Config)
		switch {
		case errors.Is(err, exec.ErrNotFound) && len(s.Postfix) == 0:
			return nil, nil
		case err != nil:
			return nil, err
		}
		p := &Postfix{Postfix: read, Name: one.Name, User: read.Parameters["mail_owner"], Tried: make(map[string]error)}
		all = append(all, p)
		s.tryPostfix(ctx, p)
	}
	return all, nil
}

// tryPostfix connects to each milter as smtpd does.
func (s Servers) tryPostfix(ctx context.Context, p *Postfix) {
	account, unknown := mta.LookupAccount(p.User)
	for _, service := range p.SMTPServers() {
		milters, _ := postfix.ParseMilters(p.Value(service, "smtpd_milters")) // what is wrong has an examination
		for _, m := range milters {
			at, err := p.place(service, m)
			if err != nil {
				continue
			}
			if _, done := p.Tried[at.String()]; done || at.path != "" && !s.Root {
				continue
			}
			if p.Tried[at.String()] = unknown; unknown == nil {
				p.Tried[at.String()] = try(ctx, account, at)
			}
		}
	}
}

// try speaks the milter protocol to whoever listens at a place, with the rights of an account.
func try(ctx context.Context, account mta.Account, at place) error {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	network := "tcp"
	if at.path != "" {
		network = "unix"
	}
	conn, err := mta.DialAs(ctx, account, network, at.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	return mta.Handshake(ctx, conn)
}

// GatherSendmail reads the cf file. A host without one has no Sendmail.
func (s Servers) GatherSendmail(ctx context.Context) (*Sendmail, error) {
	info, err := os.Stat(s.Sendmail)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	cf, err := sendmail.ReadCF(s.Sendmail)
	if err != nil {
		return nil, err
	}
	found := &Sendmail{CF: cf, Path: s.Sendmail, Made: info.ModTime(), Tried: make(map[string]error), Open: make(map[string]string)}
	mc := strings.TrimSuffix(s.Sendmail, ".cf") + ".mc"
	if info, err := os.Stat(mc); err == nil {
		found.MC, found.Changed = mc, info.ModTime()
	}
	if c, err := sendmail.ReadCompiled(ctx, s.Run, "sendmail", s.Sendmail); err != nil {
		found.Compiled = NotKnown[sendmail.Compiled](err)
	} else if len(c.With) > 0 {
		found.Compiled = Known(c)
	}
	s.trySendmail(ctx, found)
	return found, nil
}

// trySendmail connects to each filter as Sendmail does: as root, or as RunAsUser.
func (s Servers) trySendmail(ctx context.Context, found *Sendmail) {
	user, _, _ := strings.Cut(found.Options["RunAsUser"], ":")
	if user == "" {
		user = "root"
	}
	account, err := mta.LookupAccount(user)
	if err != nil {
		return
	}
	for _, f := range found.Filters {
		at, isPlace := sendmailPlace(f.Socket)
		if !isPlace || at.path != "" && !s.Root {
			continue
		}
		if at.path != "" && !strings.Contains(found.Options["DontBlameSendmail"], "GroupWritableDirPathSafe") {
			if dir := openAbove(at.path); dir != "" {
				found.Open[f.Socket] = dir
			}
		}
		found.Tried[f.Socket] = try(ctx, account, at)
	}
}

// openAbove is a directory above a path into which its group or others may write, "" for none.
func openAbove(path string) string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode()&0o022 != 0 {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// GatherUnit asks systemd about a service; nothing where systemd does not run, or knows none of
// that name.
func GatherUnit(ctx context.Context, run mta.Run, name string) Fact[Unit] {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return Fact[Unit]{}
	}
	out, err := run(ctx, "", "systemctl", "show", name, "--property=LoadState,ActiveState,SubState,UnitFileState")
	if err != nil {
		return NotKnown[Unit](err)
	}
	return parseUnit(name, out.Stdout)
}

// parseUnit reads lines of NAME=VALUE, as "systemctl show" prints them.
func parseUnit(name, text string) Fact[Unit] {
	shown := make(map[string]string)
	for line := range strings.Lines(text) {
		property, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		shown[property] = value
	}
	if shown["LoadState"] == "not-found" {
		return Fact[Unit]{}
	}
	return Known(Unit{Name: name, Active: shown["ActiveState"], Sub: shown["SubState"], Enabled: shown["UnitFileState"]})
}

// GatherSocket asks systemd where the sockets of a unit listen, as --listen has it.
func GatherSocket(ctx context.Context, run mta.Run, name string) (addresses []string) {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return nil
	}
	out, err := run(ctx, "", "systemctl", "show", name, "--property=Listen")
	if err != nil {
		return nil
	}
	return parseSockets(out.Stdout)
}

// parseSockets reads lines such as "Listen=/run/mailweir/mailweir.sock (Stream)".
func parseSockets(text string) (addresses []string) {
	for line := range strings.Lines(text) {
		at, isListen := strings.CutPrefix(strings.TrimSpace(line), "Listen=")
		at, stream := strings.CutSuffix(at, " (Stream)")
		switch {
		case !isListen || !stream:
		case strings.HasPrefix(at, "/"):
			addresses = append(addresses, "unix:"+at)
		default:
			addresses = append(addresses, "inet:"+at)
		}
	}
	return addresses
}
