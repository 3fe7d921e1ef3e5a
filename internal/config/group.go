package config

import (
	"io/fs"
	"os/user"
	"strconv"
	"syscall"
)

// groupOf is the group that may read a file, "" where it may not, or is root's.
func groupOf(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode()&0o040 == 0 || stat.Gid == 0 {
		return ""
	}
	id := strconv.FormatUint(uint64(stat.Gid), 10)
	if g, err := user.LookupGroupId(id); err == nil {
		return g.Name
	}
	return id
}
