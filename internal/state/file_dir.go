package state

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// DirError says that a directory is not one to keep a state in: somebody else could change what
// mailweir remembers, and with it who is let in.
type DirError struct {
	Dir  string
	Why  string
	Mend string // what mends it: a command, or advice
}

func (e *DirError) Error() string {
	return fmt.Sprintf("state: %s %s; %s", e.Dir, e.Why, e.Mend)
}

// checkDir refuses a directory of which somebody else disposes: one that everybody may write to,
// sticky or not, since a file of theirs would be taken for the state; and one that belongs neither
// to root nor to this process. root may work in anybody's.
func checkDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := checkMode(dir, info); err != nil {
		return err
	}
	us, whose := os.Geteuid(), int(info.Sys().(*syscall.Stat_t).Uid)
	if us == 0 || whose == 0 || whose == us {
		return nil
	}
	return &DirError{
		dir, fmt.Sprintf("belongs to %s, and mailweir runs as %s: only root and mailweir's own user may own it", userName(whose), userName(us)),
		fmt.Sprintf("mend it with: chown -R %d %s", us, dir),
	}
}

// checkMode refuses what everybody may write to.
func checkMode(dir string, info os.FileInfo) error {
	if info.IsDir() && info.Mode()&0o002 != 0 {
		mend := "mend it with: chmod o-w " + dir
		if info.Mode()&os.ModeSticky != 0 { // such as /tmp, which others need as it is
			mend = "name a directory of its own, such as /var/lib/mailweir"
		}
		return &DirError{dir, fmt.Sprintf("may be written to by everybody (mode %#o)", info.Mode().Perm()), mend}
	}
	return nil
}

// Remark says what of a store's directory is allowed and yet worth a look, "" for nothing: that its
// group may write to it, as volumes of containers want it.
func Remark(spec string) string {
	dir, is := strings.CutPrefix(spec, "file:")
	if !is {
		return ""
	}
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() || info.Mode()&0o020 == 0 {
		return ""
	}
	group := strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Gid))
	if g, err := user.LookupGroupId(group); err == nil {
		group = g.Name
	}
	return fmt.Sprintf("the group %s may write to %s: whoever is in it can change what mailweir remembers", group, dir)
}

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return "uid " + strconv.Itoa(uid)
}
