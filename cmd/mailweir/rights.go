package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/mta"
)

// rights says what the service may not read or connect to, though root may: what "mailweir check"
// finds in order would then not start, or not work. files are those of tables and the console; what
// flags name is added.
func (s *settings) rights(files []string) []string {
	if os.Geteuid() != 0 || runtime.GOOS != "linux" {
		return nil
	}
	name := s.unit()
	unit, err := readUnit(unitPlaces, name)
	if err != nil {
		return nil // there is no service here
	}
	return s.rightsIn(unit, name, files)
}

// unit is the one that a configuration is for.
func (s *settings) unit() string {
	if s.onlyAuth() {
		return authUnitName
	}
	return unitName
}

func (s *settings) rightsIn(unit *serviceUnit, name string, files []string) []string {
	remarks := unit.missingCredentials(name)
	a, err := unit.account(name)
	switch {
	case err != nil:
		return append(remarks, name+": "+err.Error())
	case a == nil:
		return remarks
	}
	paths := slices.Concat(s.found.Files, files, s.paths())
	for _, file := range files {
		paths = append(paths, pathsOfTable(file)...)
	}
	slices.Sort(paths)
	paths = slices.DeleteFunc(slices.Compact(paths), func(path string) bool { return slices.Contains(s.handed, path) })
	return append(remarks, a.mayNot(paths)...)
}

// ownSockets are flags that name what this host opens itself, or what is not ours to open.
var ownSockets = []string{"listen", "control", "console", "http", "auth-listen", "auth-http", "scan-spool"}

// somePath finds absolute paths in a value of any syntax: hash:/a, unix:/a:name, NAME=/a, ?file=/a.
var somePath = regexp.MustCompile(`/[^\s,:;{}"'?&=#()]+`)

// paths are those that stand in the values of flags.
func (s *settings) paths() (paths []string) {
	s.flags.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(ownSockets, f.Name) || f.Name == "auth-milter" && !s.onlyAuth() {
			return
		}
		for _, value := range flagValues(f) {
			if f.Name == "state" && value == autoState {
				value = stateSpec(value)
			}
			if f.Value.Type() == "FILE" {
				paths = append(paths, value)
			}
			paths = append(paths, somePath.FindAllString(value, -1)...)
		}
	})
	return paths
}

// pathsOfTable are those that a file says which tells how to reach a table that lives elsewhere.
func pathsOfTable(name string) []string {
	if filepath.Ext(name) != ".cf" {
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil // that has been said
	}
	return somePath.FindAllString(string(text), -1)
}

// tryWithin is how long a socket may take to let somebody in.
const tryWithin = 2 * time.Second

// mayNot says which of the files and sockets that there are the account may not use, and what to
// do.
func (a *account) mayNot(paths []string) []string {
	var remarks []string
	for _, name := range paths {
		info, err := os.Stat(name)
		if err != nil {
			continue
		}
		verb, bit := "read", fs.FileMode(0o040)
		switch {
		case info.Mode().IsRegular() || info.IsDir():
			err = a.open(name)
		case info.Mode()&fs.ModeSocket != 0:
			verb, bit = "connect to", 0o020
			err = a.connect(name)
		}
		if errors.Is(err, fs.ErrPermission) {
			remarks = append(remarks, fmt.Sprintf("user %s (%s) cannot %s %s: %s", a.user, a.unit, verb, name, a.remedy(name, info, bit)))
		}
	}
	return remarks
}

// open tries to open a file as the account would.
func (a *account) open(name string) error {
	return a.try(func() error {
		fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		if err == nil {
			err = syscall.Close(fd)
		}
		return err
	})
}

func (a *account) connect(path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), tryWithin)
	defer cancel()
	conn, err := mta.DialAs(ctx, a.rights(), "unix", path)
	if err == nil {
		err = conn.Close()
	}
	return err
}

func (a *account) try(f func() error) error { return mta.As(a.rights(), f) }

func (a *account) rights() mta.Account {
	return mta.Account{Name: a.user, UID: a.uid, GID: a.gid, Groups: a.groups}
}

// remedy says how the account may come to use a file: by the group of what keeps it out, which is
// the file or a directory above, if that may. bit is what the group needs of the file.
func (a *account) remedy(name string, info fs.FileInfo, bit fs.FileMode) string {
	for _, c := range a.credentials {
		if c.path == name {
			return "name it " + credentialsDir + a.unit + "/" + c.id + ", where systemd hands it over"
		}
	}
	what := ""
	if dir := a.closed(name); dir != "" {
		if above, err := os.Stat(dir); err == nil {
			info, bit, what = above, 0o010, " to "+dir
		}
	}
	gid, ok := groupOf(info)
	if !ok || info.Mode().Perm()&bit == 0 || gid == 0 || slices.Contains(a.groups, gid) {
		own, err := user.LookupGroupId(strconv.Itoa(a.gid))
		if err == nil && what == "" && info.Mode().IsRegular() {
			return fmt.Sprintf("chgrp %s %s && chmod g+r %[2]s", own.Name, name)
		}
		return "give it access" + what
	}
	group := strconv.Itoa(gid)
	if g, err := user.LookupGroupId(group); err == nil {
		group = g.Name
	}
	if a.dynamic {
		return fmt.Sprintf("add it to the group %s, by SupplementaryGroups=%[1]s in the unit", group)
	}
	return fmt.Sprintf("add it to the group %s (usermod -aG %[1]s %s), and restart the service", group, a.user)
}

// closed is the topmost directory above a file that keeps the account out, "" for none.
func (a *account) closed(name string) (topmost string) {
	for dir := filepath.Dir(name); ; dir = filepath.Dir(dir) {
		err := a.try(func() error { return syscall.Stat(strings.TrimSuffix(dir, "/")+"/.", new(syscall.Stat_t)) })
		if errors.Is(err, fs.ErrPermission) {
			topmost = dir
		}
		if dir == filepath.Dir(dir) {
			return topmost
		}
	}
}

func groupOf(info fs.FileInfo) (int, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Gid), true
}
