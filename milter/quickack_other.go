//go:build !linux

package milter

import "net"

// acknowledge does nothing where the kernel has no such setting.
func acknowledge(net.Conn) func() { return nil }
