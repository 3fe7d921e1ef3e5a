//go:build !linux

package milter

import "net"

// acknowledgement does nothing where the kernel has no such setting.
func acknowledgement(net.Conn) func() { return nil }
