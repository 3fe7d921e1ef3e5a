package doctor

import "syscall"

// unsynchronised is STA_UNSYNC of adjtimex(2).
const unsynchronised = 0x40

func clockSynchronised() (bool, error) {
	var t syscall.Timex
	if _, err := syscall.Adjtimex(&t); err != nil {
		return false, err
	}
	return t.Status&unsynchronised == 0, nil
}

func roomOf(dir string) (Room, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return Room{}, err
	}
	block := uint64(s.Bsize)
	return Room{Free: s.Bavail * block, Size: s.Blocks * block, FreeInodes: s.Ffree, Inodes: s.Files}, nil
}
