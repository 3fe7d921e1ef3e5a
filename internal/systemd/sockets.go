package systemd

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"
)

// Socket is one that systemd hands over (FileDescriptorName=, else the name of the socket unit).
type Socket struct {
	Name     string
	Listener net.Listener
}

// Sockets takes the sockets that systemd hands over, in its order, and nothing that is no listening
// stream socket. Whoever asks again gets none. Their files stay when they are closed: they are
// systemd's.
func Sockets() ([]Socket, error) {
	var sockets []Socket
	var wrong []error
	for _, file := range activation.Files(true) {
		l, err := listener(file)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", file.Name(), err))
			continue
		}
		sockets = append(sockets, Socket{file.Name(), l})
	}
	if len(wrong) > 0 {
		for _, s := range sockets {
			wrong = append(wrong, s.Listener.Close())
		}
		return nil, fmt.Errorf("systemd hands over what is no listening stream socket: %w", errors.Join(wrong...))
	}
	return sockets, nil
}

func listener(file *os.File) (net.Listener, error) {
	defer file.Close() // the listener has a descriptor of its own
	listening, err := unix.GetsockoptInt(int(file.Fd()), unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil {
		return nil, err
	}
	if listening == 0 {
		return nil, errors.New("nobody can connect to it (ListenStream= makes one that is)")
	}
	return net.FileListener(file)
}
