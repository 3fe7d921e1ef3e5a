package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"mailweir/internal/backend"
)

// Who refuses a login has answered.
func TestFails(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "does not answer"},
		{fmt.Errorf("asked: %w", context.DeadlineExceeded), "does not answer"},
		{fmt.Errorf("asked: %w", os.ErrDeadlineExceeded), "does not answer"},
		{fmt.Errorf("greeting: %w", io.EOF), "does not answer"},
		{fmt.Errorf("db: %w", backend.ErrUnavailable), "does not answer"},
		{errors.New("Access denied for user 'mail'@'localhost'"), "answers with an error"},
	} {
		if got := fails(tt.err); got != tt.want {
			t.Errorf("%v %s, want %s", tt.err, got, tt.want)
		}
	}
}
