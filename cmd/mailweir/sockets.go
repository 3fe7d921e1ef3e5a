package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/sys/unix"

	"mailweir/internal/handover"
	"mailweir/internal/listener"
	"mailweir/internal/systemd"
	"mailweir/milter"
)

// sockets are what a process listens on: those that systemd hands over, and those that it opens
// itself.
type sockets struct {
	handed []systemd.Socket // that nobody has taken yet
	// inherited are those of the predecessor that have not been taken yet, by their addresses.
	inherited map[string]net.Listener
	open      []openSocket
	// gate is closed when connections may be accepted; nil is as good.
	gate chan struct{}
}

// openSocket is one that is listened on.
type openSocket struct {
	*listener.Listener
	is handover.Socket
}

// takeSockets takes what the predecessor listens on or, without one, what systemd hands over.
func (p *predecessor) takeSockets() (*sockets, error) {
	if p != nil {
		return p.sockets(), nil
	}
	return takeSockets()
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
	if l := s.inherit(address); l != nil {
		own, err := milter.Adopt(l, address, options)
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		return s.keep(own, handover.Socket{Address: address}), nil
	}
	l, err := milter.Listen(address, options)
	if err != nil {
		return nil, err
	}
	return s.keep(l, handover.Socket{Address: address}), nil
}

// inherit takes the predecessor's socket at an address, nil where it had none.
func (s *sockets) inherit(address string) net.Listener {
	l := s.inherited[address]
	delete(s.inherited, address)
	return l
}

// listenTCP opens a socket at HOST:PORT.
func (s *sockets) listenTCP(address string) (net.Listener, error) {
	if l := s.inherit(address); l != nil {
		return s.keep(l, handover.Socket{Address: address}), nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return s.keep(l, handover.Socket{Address: address}), nil
}

func (s *sockets) keep(l net.Listener, is handover.Socket) net.Listener {
	one := openSocket{listener.New(l, s.gate), is}
	one.Leave(s.gate != nil) // the predecessor may yet go on with it
	s.open = append(s.open, one)
	return one.Listener
}

// offer is what a successor is given: a descriptor of each, and what it is.
func (s *sockets) offer() (is []handover.Socket, descriptors []int, err error) {
	for _, l := range s.open {
		fd, err := l.Descriptor()
		if err != nil {
			for _, fd := range descriptors {
				_ = unix.Close(fd)
			}
			return nil, nil, err
		}
		is, descriptors = append(is, l.is), append(descriptors, fd)
	}
	return is, descriptors, nil
}

// leave has the files of the sockets stay when they are closed here: the successor has them.
func (s *sockets) leave() {
	for _, l := range s.open {
		l.Leave(true)
	}
}

// begin has connections be accepted, on what was opened before.
func (s *sockets) begin() {
	if s.gate == nil {
		return
	}
	for _, l := range s.open {
		l.Leave(false)
	}
	close(s.gate)
	s.gate = nil
}

// settle closes what the predecessor listened on and this process does not.
func (s *sockets) settle() {
	for address, l := range s.inherited {
		if own, err := milter.Adopt(l, address, milter.ListenOptions{Mode: 0o600}); err == nil {
			l = own // whose file goes, too
		}
		_ = l.Close()
		delete(s.inherited, address)
	}
}

// take takes those of a name that systemd has handed over; "" takes all.
func (s *sockets) take(name string) (taken []net.Listener) {
	var rest []systemd.Socket
	for _, h := range s.handed {
		if name == "" || h.Name == name {
			taken = append(taken, s.keep(h.Listener, handover.Socket{Name: h.Name}))
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
	for _, l := range s.inherited {
		_ = l.Close() // its file stays: whoever does not start takes nothing away
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
