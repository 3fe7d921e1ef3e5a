package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// unitName is the unit of contrib/systemd, unitPlaces where systemd looks for one, the first before
// the others.
const unitName = "mailweir.service"

var unitPlaces = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

// dynamicID is the first of those that systemd gives to users that exist while a service runs.
const dynamicID = 61184

// account is whom a service runs as.
type account struct {
	user    string
	dynamic bool // a user that exists while the service runs
	uid     int
	gid     int
	groups  []int
}

// serviceUnit is what a unit says of its user.
type serviceUnit struct {
	user, group string
	dynamic     bool
	groups      []string
}

// readUnit reads a unit with what stands in its directories NAME.d. Without one, the error is
// fs.ErrNotExist.
func readUnit(places []string, name string) (*serviceUnit, error) {
	var files []string
	extra := map[string]string{} // by base name: what comes first hides the others
	for _, place := range places {
		path := filepath.Join(place, name)
		if _, err := os.Stat(path); err == nil && len(files) == 0 {
			files = append(files, path)
		}
		more, _ := filepath.Glob(path + ".d/*.conf")
		for _, path := range more {
			if base := filepath.Base(path); extra[base] == "" {
				extra[base] = path
			}
		}
	}
	if len(files) == 0 {
		return nil, fs.ErrNotExist
	}
	names := make([]string, 0, len(extra))
	for base := range extra {
		names = append(names, base)
	}
	slices.Sort(names)
	for _, base := range names {
		files = append(files, extra[base])
	}
	u := &serviceUnit{}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		err = u.read(f)
		_ = f.Close()
		if err != nil {
			return nil, err
		}
	}
	return u, nil
}

func (u *serviceUnit) read(r io.Reader) error {
	section := ""
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			section = line
		}
		name, value, _ := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if section != "[Service]" {
			continue
		}
		switch name {
		case "User":
			u.user = value
		case "Group":
			u.group = value
		case "DynamicUser":
			u.dynamic = slices.Contains([]string{"yes", "true", "on", "1"}, strings.ToLower(value))
		case "SupplementaryGroups":
			if u.groups = append(u.groups, strings.Fields(value)...); value == "" {
				u.groups = nil
			}
		}
	}
	return lines.Err()
}

// account is whom the unit runs as; nil for root.
func (u *serviceUnit) account() (*account, error) {
	a := &account{user: u.user, uid: dynamicID, gid: dynamicID}
	if a.user == "" && u.dynamic {
		a.user = strings.TrimSuffix(unitName, ".service")
	}
	if a.user == "" || a.user == "root" || a.user == "0" {
		return nil, nil
	}
	known, err := lookUser(a.user)
	switch {
	case err == nil:
		a.uid, _ = strconv.Atoi(known.Uid)
		a.gid, _ = strconv.Atoi(known.Gid)
		ids, _ := known.GroupIds()
		for _, id := range ids {
			if n, err := strconv.Atoi(id); err == nil {
				a.groups = append(a.groups, n)
			}
		}
	case !u.dynamic:
		return nil, err
	default:
		a.dynamic = true
	}
	for _, name := range append(slices.Clone(u.groups), u.group) {
		if name == "" {
			continue
		}
		g, err := user.LookupGroup(name)
		if err != nil {
			g, err = user.LookupGroupId(name)
		}
		if err != nil {
			return nil, err
		}
		n, _ := strconv.Atoi(g.Gid)
		if a.groups = append(a.groups, n); name == u.group {
			a.gid = n
		}
	}
	return a, nil
}

func lookUser(name string) (*user.User, error) {
	if _, err := strconv.Atoi(name); err == nil {
		return user.LookupId(name)
	}
	return user.Lookup(name)
}

// unreadable says which files the service cannot read, though root can: what "mailweir check" finds
// in order would then not start. files are those of tables; those that flags name are added.
func (s *settings) unreadable(files []string) []string {
	if os.Geteuid() != 0 {
		return nil
	}
	unit, err := readUnit(unitPlaces, unitName)
	if err != nil {
		return nil // there is no service here
	}
	a, err := unit.account()
	switch {
	case err != nil:
		return []string{unitName + ": " + err.Error()}
	case a == nil:
		return nil
	}
	s.flags.VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() == "FILE" {
			files = append(files, flagValues(f)...)
		}
	})
	slices.Sort(files)
	return a.unreadable(slices.Compact(files))
}

// unreadable says which of the files that there are the account cannot read, and what to do.
func (a *account) unreadable(files []string) []string {
	var remarks []string
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() && !info.IsDir() {
			continue
		}
		if err := a.open(name); errors.Is(err, fs.ErrPermission) {
			remarks = append(remarks, fmt.Sprintf("user %s (%s) cannot read %s: %s", a.user, unitName, name, a.remedy(info)))
		}
	}
	return remarks
}

// remedy says how the account may come to read a file: by its group, if that may.
func (a *account) remedy(info os.FileInfo) string {
	gid, ok := groupOf(info)
	if !ok || info.Mode().Perm()&0o040 == 0 || gid == 0 || slices.Contains(a.groups, gid) {
		return "give it leave, also for the directories above"
	}
	group := strconv.Itoa(gid)
	if g, err := user.LookupGroupId(group); err == nil {
		group = g.Name
	}
	if a.dynamic {
		return fmt.Sprintf("add it to the group %s, by SupplementaryGroups=%[1]s in the unit", group)
	}
	return fmt.Sprintf("add it to the group %s (usermod -aG %[1]s %s)", group, a.user)
}
