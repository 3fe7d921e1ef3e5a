package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"mailweir/internal/listener"
	"mailweir/internal/systemd"
	"mailweir/milter"
)

// sockets are what a process listens on: those that systemd hands over, and those that it opens
// itself.
type sockets struct {
	handed []systemd.Socket // that nobody has taken yet
	open   []*listener.Listener
}

// takeSockets takes what systemd hands over.
func takeSockets() (*sockets, error) {
	handed, err := systemd.Sockets()
	if err != nil {
		return nil, &exitError{exConfig, err}
	}
	return &sockets{handed: handed}, nil
}

// listen opens a socket at an address.
func (s *sockets) listen(address string, options milter.ListenOptions) (net.Listener, error) {
	l, err := milter.Listen(address, options)
	if err != nil {
		return nil, err
	}
	return s.keep(l), nil
}

// listenTCP opens a socket at HOST:PORT.
func (s *sockets) listenTCP(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return s.keep(l), nil
}

func (s *sockets) keep(l net.Listener) net.Listener {
	one := listener.New(l, nil)
	s.open = append(s.open, one)
	return one
}

// take takes those of a name that systemd has handed over; "" takes all.
func (s *sockets) take(name string) (taken []net.Listener) {
	var rest []systemd.Socket
	for _, h := range s.handed {
		if name == "" || h.Name == name {
			taken = append(taken, s.keep(h.Listener))
		} else {
			rest = append(rest, h)
		}
	}
	s.handed = rest
	return taken
}

// left is the error of sockets that systemd hands over and that nobody has taken: whoever connected
// to one would wait for ever.
func (s *sockets) left(advice string) error {
	if len(s.handed) == 0 {
		return nil
	}
	var names []string
	for _, h := range s.handed {
		names = append(names, h.Name)
	}
	return fail(exConfig, "systemd hands over the socket %s, which nothing here listens on: %s", strings.Join(names, ", "), advice)
}

// close closes all; those that are closed already do no harm.
func (s *sockets) close() {
	for _, l := range s.open {
		_ = l.Close()
	}
	for _, h := range s.handed {
		_ = h.Listener.Close()
	}
}

// moves returns nil when whoever accepts on any of them has come by.
func (s *sockets) moves(ctx context.Context) error {
	var errs []error
	for _, l := range s.open {
		errs = append(errs, l.Moves(ctx))
	}
	return errors.Join(errs...)
}

// milterSocket is the name under which systemd hands over where the MTA connects
// (FileDescriptorName= of mailweir.socket).
const milterSocket = "milter"

// systemdSocket reads a value of --listen that names a socket of systemd.
func systemdSocket(address string) (name string, is bool) {
	name, is = strings.CutPrefix(address, "systemd:")
	if is && name == "" {
		name = milterSocket
	}
	return name, is
}

// openListeners opens every --listen. Where none of them names a socket of systemd, those that
// systemd hands over for the milter take their place.
func (s *sockets) openListeners(f *daemonFlags) ([]net.Listener, error) {
	addresses := f.addresses()
	named := false
	for _, address := range addresses {
		_, is := systemdSocket(address)
		named = named || is
	}
	if !named {
		if taken := s.take(milterSocket); len(taken) > 0 {
			return taken, s.left(milterAdvice)
		}
	}
	options, err := f.listenOptions()
	if err != nil {
		return nil, &exitError{exConfig, err}
	}
	var listeners []net.Listener
	for _, address := range addresses {
		if name, is := systemdSocket(address); is {
			taken := s.take(name)
			if len(taken) == 0 {
				return nil, fail(exConfig, "--listen=%s: systemd hands over no socket of this name: is its unit enabled, with FileDescriptorName=%s?", address, name)
			}
			listeners = append(listeners, taken...)
			continue
		}
		l, err := s.listen(address, options)
		if err != nil {
			return nil, fail(exUnavailable, "--listen=%s: %v", address, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, s.left(milterAdvice)
}

const milterAdvice = "its unit wants FileDescriptorName=" + milterSocket + ", or --listen=systemd:NAME names it"

// checkListen reports what cannot be a --listen.
func checkListen(address string, options milter.ListenOptions) error {
	if name, is := systemdSocket(address); is {
		if strings.ContainsAny(name, ": \t") {
			return fmt.Errorf("--listen: %q is no FileDescriptorName of systemd, which has neither colons nor blanks", name)
		}
		return nil
	}
	if err := milter.CheckAddress(address, options); err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	return nil
}
