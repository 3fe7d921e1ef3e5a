package doctor

import (
	"os"
	"path/filepath"
)

// GatherClock asks the kernel.
func GatherClock() Fact[Clock] {
	synchronised, err := clockSynchronised()
	if err != nil {
		return NotKnown[Clock](err)
	}
	return Known(Clock{Synchronised: synchronised, Container: inContainer()})
}

// inContainer reports whether somebody else has this host's clock. systemd and the engines say so.
func inContainer() bool {
	if os.Getenv("container") != "" {
		return true
	}
	for _, name := range []string{"/run/systemd/container", "/run/.containerenv", "/.dockerenv"} {
		if _, err := os.Stat(name); err == nil {
			return true
		}
	}
	return false
}

// GatherDisk asks how much room there is where a directory is, or will be.
func GatherDisk(what, dir string) Disk {
	d := Disk{What: what, Dir: dir}
	for {
		if _, err := os.Stat(dir); err == nil || !os.IsNotExist(err) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	room, err := roomOf(dir)
	if err != nil {
		d.Room = NotKnown[Room](err)
		return d
	}
	d.Room = Known(room)
	return d
}
