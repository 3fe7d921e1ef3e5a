package attach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/mta"
	"mailweir/internal/mta/postfix"
)

// postfixServer is an instance of Postfix.
type postfixServer struct {
	run    mta.Run
	found  *postfix.Postfix
	listen []string
}

// errorLimit lets a client with more recipients than --rcpt-limit-max read each answer: Postfix
// counts a milter's refusals as errors, and hangs up after 20.
const errorLimit = 1100

// Postfix reads the instance whose configuration is in a directory; "" is the only one of the host.
func (h *Host) postfix(ctx context.Context, dir string) (*postfixServer, error) {
	if dir == "" {
		instances, err := postfix.Instances(ctx, h.Run)
		if err == nil && len(instances) > 1 {
			return nil, severalInstances(instances)
		}
	}
	found, err := postfix.Read(ctx, h.Run, dir)
	if err != nil {
		return nil, err
	}
	if len(servers(found)) == 0 {
		return nil, fmt.Errorf("the Postfix of %s has no smtpd service in master.cf: there is nothing to attach to", found.Config)
	}
	return &postfixServer{run: h.Run, found: found, listen: h.Listen}, nil
}

func severalInstances(instances []postfix.Instance) error {
	var b strings.Builder
	b.WriteString("there are several instances of Postfix; name the one that takes mail from outside:")
	for _, i := range instances {
		fmt.Fprintf(&b, "\n  mailweir init --postfix-config-dir=%s", i.Config)
		if i.Name != "" {
			fmt.Fprintf(&b, "   # %s", i.Name)
		}
	}
	return errors.New(b.String())
}

func (*postfixServer) name() string { return "postfix" }

func (s *postfixServer) config() string { return s.found.Config }

func (s *postfixServer) propose() *Proposal { return proposePostfix(s.found) }

// queue is a path below the queue directory.
func (s *postfixServer) queue(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.found.Parameters["queue_directory"], path)
}

// socket is below the queue directory where one of those who ask runs in a chroot there.
func (s *postfixServer) socket(h *Host) place {
	chrooted := slices.ContainsFunc(servers(s.found), func(v server) bool { return v.Chroot && v.kind != reinject })
	if h.Units == "" {
		return s.configured(h.Listen, chrooted)
	}
	owner := s.found.Parameters["mail_owner"]
	if !chrooted {
		return place{
			Address: "unix:" + usualSocket, Network: "unix", Path: usualSocket,
			DropIn: "[Socket]\n# smtpd, which runs as " + owner + ", connects.\nSocketGroup=" + owner + "\nSocketMode=0660\n",
		}
	}
	const below = "mailweir/mailweir.sock"
	path := s.queue(below)
	return place{
		Address: "unix:" + below, Network: "unix", Path: path, Dir: filepath.Dir(path),
		DropIn: "[Socket]\n# smtpd runs in a chroot at " + s.queue("") + " as " + owner + ", and connects there.\n" +
			"ListenStream=\nListenStream=" + path + "\nSocketUser=" + owner + "\nSocketMode=0660\nRemoveOnStop=yes\n",
	}
}

// usualSocket is that of mailweir.socket.
const usualSocket = "/run/mailweir/mailweir.sock"

// configured is the first address of --listen, as smtpd can reach it.
func (s *postfixServer) configured(listen []string, chrooted bool) place {
	address := listen[0]
	kind, rest, _ := strings.Cut(address, ":")
	if kind != "unix" {
		return place{Address: address, Network: "tcp", Path: rest}
	}
	p := place{Address: address, Network: "unix", Path: rest}
	if below, err := filepath.Rel(s.queue(""), rest); chrooted && err == nil && !strings.HasPrefix(below, "..") {
		p.Address = "unix:" + below
	}
	return p
}

// attach puts mailweir in front of the milters, in main.cf and where a service has a list of its
// own.
func (s *postfixServer) attach(ctx context.Context, address string, before []string) ([]Change, []setting, error) {
	return s.edit(ctx, func(d *postfixDraft) error {
		if err := d.attachMain(ctx, address, before); err != nil {
			return err
		}
		for _, v := range servers(s.found) {
			if err := d.attachService(v, address, before); err != nil {
				return err
			}
		}
		return nil
	})
}

// edit makes the files again in a draft and reads them back.
func (s *postfixServer) edit(ctx context.Context, edits func(*postfixDraft) error) ([]Change, []setting, error) {
	main, err := readChange(filepath.Join(s.found.Config, "main.cf"))
	if err != nil {
		return nil, nil, err
	}
	master, err := readChange(filepath.Join(s.found.Config, "master.cf"))
	if err != nil {
		return nil, nil, err
	}
	draft, err := postfix.NewDraft(s.run, main.Before, master.Before)
	if err != nil {
		return nil, nil, err
	}
	defer draft.Close()
	d := &postfixDraft{Draft: draft, server: s}
	if err := edits(d); err != nil {
		return nil, nil, err
	}
	if main.After, master.After, err = draft.Files(ctx); err != nil {
		return nil, nil, err
	}
	return []Change{main, master}, d.settings, nil
}

// moved is also true where we have left one of its files alone.
func (s *postfixServer) moved(r *record) (bool, error) {
	main, err := readChange(filepath.Join(s.found.Config, "main.cf"))
	if err != nil {
		return false, err
	}
	master, err := readChange(filepath.Join(s.found.Config, "master.cf"))
	if err != nil {
		return false, err
	}
	return !r.names(main.Path) || !r.names(master.Path), nil
}

// running asks postfix, which knows its instance by the directory.
func (s *postfixServer) running(ctx context.Context) bool { return s.control(ctx, "status") == nil }

func (s *postfixServer) reload(ctx context.Context) error { return s.control(ctx, "reload") }

// restart is for an smtpd that could not start: master tries it again at once only after a start.
func (s *postfixServer) restart(ctx context.Context) error {
	return errors.Join(s.control(ctx, "stop"), s.control(ctx, "start"))
}

func (s *postfixServer) control(ctx context.Context, command string) error {
	_, err := s.run(ctx, "", "postfix", "-c", s.found.Config, command)
	return err
}

func (s *postfixServer) account() (mta.Account, error) {
	return mta.LookupAccount(s.found.Parameters["mail_owner"])
}

// probe asks the service for mail from outside.
func (s *postfixServer) probe() *mta.Probe {
	for _, v := range s.found.Services {
		screened := filepath.Base(v.Command) == "postscreen"
		one := slices.IndexFunc(servers(s.found), func(o server) bool { return o.Service == v && o.kind == mx && o.port != 0 })
		if v.Type != "inet" || !screened && one < 0 {
			continue
		}
		parameter := "smtpd_upstream_proxy_protocol"
		if screened {
			parameter = "postscreen_upstream_proxy_protocol"
		}
		return &mta.Probe{
			Address: net.JoinHostPort(s.host(v), strconv.Itoa(portNumber(v.Port()))),
			Helo:    s.found.Parameters["myhostname"],
			Proxied: s.found.Value(v, parameter) != "",
		}
	}
	return nil
}

// host is an address at which a service listens.
func (s *postfixServer) host(v *postfix.Service) string {
	if host, _, err := net.SplitHostPort(v.Name); err == nil && host != "" {
		return host
	}
	for _, name := range postfix.SplitList(s.found.Parameters["inet_interfaces"]) {
		if ip := net.ParseIP(strings.Trim(name, "[]")); ip != nil && !ip.IsLoopback() && !ip.IsUnspecified() {
			return ip.String()
		}
	}
	return "127.0.0.1"
}
