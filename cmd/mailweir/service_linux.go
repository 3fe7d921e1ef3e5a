//go:build linux && (amd64 || arm64)

package main

import (
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// open tries to open a file as the account would. Root takes on its rights for that, in a thread
// that ends with it; lists of access rights count as well.
func (a *account) open(name string) error {
	tried := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: nobody else may come to run with these rights
		tried <- a.openHere(name)
	}()
	return <-tried
}

func (a *account) openHere(name string) error {
	groups := []uint32{uint32(a.gid)}
	for _, g := range a.groups {
		groups = append(groups, uint32(g))
	}
	// The functions of package syscall would change every thread of the process.
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(&groups[0])), 0); errno != 0 {
		return errno
	}
	_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSGID, uintptr(a.gid), 0, 0)
	_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, uintptr(a.uid), 0, 0)
	fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return syscall.Close(fd)
}

func groupOf(info os.FileInfo) (int, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Gid), true
}
