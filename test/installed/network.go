package installed

import (
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"mailweir/test/testbed"
)

// Dial connects to an SMTP server of the machine, such as 127.0.0.1:25, from an address of the
// machine; "" leaves it to the kernel.
func (m *Machine) Dial(address, from string) (*testbed.Client, error) {
	conn, err := m.Conn(address, from)
	if err != nil {
		return nil, err
	}
	return testbed.NewClient(conn), nil
}

// Conn is Dial for what does not speak SMTP.
func (m *Machine) Conn(address, from string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: testbed.Patience}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	var conn net.Conn
	err := m.within(func() (err error) {
		conn, err = dialer.Dial("tcp", address)
		return err
	})
	return conn, err
}

// within calls do in the machine's network. What it opens stays there. The thread comes back before
// anything else runs in it; it must not end, as the processes that it has started would die with it
// (Pdeathsig).
func (m *Machine) within(do func() error) error {
	inside, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", m.systemd))
	if err != nil {
		return err
	}
	defer inside.Close()
	home, err := os.Open("/proc/self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Setns(int(inside.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	failed := do()
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		panic("installed: a thread is left in the network of a machine: " + err.Error())
	}
	return failed
}

// Talk opens an SMTP connection to port 25 of the machine from an address of the machine, and reads
// the greeting. It is closed with the test.
func (m *Machine) Talk(tb testbed.TB, from string) *testbed.Client {
	tb.Helper()
	c, err := m.Dial("127.0.0.1:25", from)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	if reply, err := c.ReadReply(); err != nil || reply.Code() != "220" {
		tb.Fatalf("greeting: %q, %v", reply, err)
	}
	return c
}
