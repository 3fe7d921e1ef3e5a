package main

import (
	"bufio"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// unitName and authUnitName are the units that mailweir comes with, unitPlaces where systemd looks
// for one, the first before the others.
const (
	unitName     = "mailweir.service"
	authUnitName = "mailweir-auth.service"
)

var unitPlaces = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

// dynamicID is the first of those that systemd gives to users that exist while a service runs.
const dynamicID = 61184

// account is whom a service runs as.
type account struct {
	unit    string
	user    string
	dynamic bool // a user that exists while the service runs
	uid     int
	gid     int
	groups  []int
	// credentials are files that it need not read itself.
	credentials []credential
}

// serviceUnit is what a unit says of its user.
type serviceUnit struct {
	user, group string
	dynamic     bool
	groups      []string
	credentials []credential
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
		case "LoadCredential", "LoadCredentialEncrypted":
			if c, ok := readCredential(value); ok {
				u.credentials = append(u.credentials, c)
			} else if value == "" {
				u.credentials = nil
			}
		case "SupplementaryGroups":
			if u.groups = append(u.groups, strings.Fields(value)...); value == "" {
				u.groups = nil
			}
		}
	}
	return lines.Err()
}

// account is whom the unit of this name runs as; nil for root.
func (u *serviceUnit) account(name string) (*account, error) {
	a := &account{unit: name, user: u.user, uid: dynamicID, gid: dynamicID, credentials: u.credentials}
	if a.user == "" && u.dynamic {
		a.user = strings.TrimSuffix(name, ".service")
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
