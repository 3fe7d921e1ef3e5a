package testbed

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// reserving is the variable that makes this test program try to reserve the port it names.
const reserving = "TESTBED_RESERVES"

// TestFreeAddressIsOneTestsOwn: no other process of tests gets a port before the test ends, whether
// or not somebody listens there.
func TestFreeAddressIsOneTestsOwn(t *testing.T) {
	if port, err := strconv.Atoi(os.Getenv(reserving)); err == nil {
		if _, err := reserve(port); err != nil {
			t.Fatal(err)
		}
		return
	}
	other := func(port string) (string, error) {
		again := exec.Command(os.Args[0], "-test.run=^TestFreeAddressIsOneTestsOwn$")
		again.Env = append(os.Environ(), reserving+"="+port)
		out, err := again.CombinedOutput()
		return string(out), err
	}
	var port string
	t.Run("meanwhile", func(t *testing.T) {
		port = Port(FreeAddress(t))
		if out, err := other(port); err == nil || !strings.Contains(out, "address already in use") {
			t.Errorf("another process takes it: %v\n%s", err, out)
		}
	})
	if out, err := other(port); err != nil {
		t.Errorf("when the test has ended, another process cannot take it: %v\n%s", err, out)
	}
}

// TestWhoListens: the process that listens at an address is named.
func TestWhoListens(t *testing.T) {
	l, err := net.Listen("tcp4", FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if who := whoListens(l.Addr().String()); len(who) != 1 || !strings.HasPrefix(who[0], strconv.Itoa(os.Getpid())+" "+os.Args[0]) {
		t.Errorf("%q", who)
	}
	if who := whoListens(FreeAddress(t)); len(who) != 0 {
		t.Errorf("where nobody listens: %q", who)
	}
}
