package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/config"
	"mailweir/test/testbed"
)

func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReadUnit(t *testing.T) {
	etc, lib := t.TempDir(), t.TempDir()
	places := []string{etc, lib}
	if _, err := readUnit(places, "m.service"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a unit: %v", err)
	}
	for _, c := range []struct {
		name, file, text string
		want             serviceUnit
	}{
		{"one", lib + "/m.service", "[Unit]\nUser=x\n[Service]\n#User=no\nUser = filter\nGroup=mail\nSupplementaryGroups=a b\n", serviceUnit{user: "filter", group: "mail", groups: []string{"a", "b"}}},
		{"more", lib + "/m.service.d/10.conf", "[Service]\nDynamicUser=yes\nSupplementaryGroups=postfix\n", serviceUnit{user: "filter", group: "mail", dynamic: true, groups: []string{"a", "b", "postfix"}}},
		{"hides", etc + "/m.service", "[Service]\nDynamicUser=true\n", serviceUnit{dynamic: true, groups: []string{"postfix"}}},
		{"hides more", etc + "/m.service.d/10.conf", "[Service]\nSupplementaryGroups=\nUser=other\n", serviceUnit{user: "other", dynamic: true}},
	} {
		write(t, c.file, c.text, 0o644)
		u, err := readUnit(places, "m.service")
		if err != nil || !reflect.DeepEqual(*u, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", c.name, *u, err, c.want)
		}
	}
}

func TestAccount(t *testing.T) {
	for name, c := range map[string]struct {
		unit serviceUnit
		want *account
	}{
		"root":            {serviceUnit{}, nil},
		"named root":      {serviceUnit{user: "root"}, nil},
		"dynamic":         {serviceUnit{dynamic: true}, &account{unit: "mailweir.service", user: "mailweir", dynamic: true, uid: dynamicID, gid: dynamicID}},
		"nobody":          {serviceUnit{user: "nobody"}, &account{unit: "mailweir.service", user: "nobody", uid: 65534, gid: 65534, groups: []int{65534}}},
		"group":           {serviceUnit{dynamic: true, group: "daemon"}, &account{unit: "mailweir.service", user: "mailweir", dynamic: true, uid: dynamicID, gid: 1, groups: []int{1}}},
		"groups":          {serviceUnit{dynamic: true, groups: []string{"daemon", "2"}}, &account{unit: "mailweir.service", user: "mailweir", dynamic: true, uid: dynamicID, gid: dynamicID, groups: []int{1, 2}}},
		"dynamic, exists": {serviceUnit{dynamic: true, user: "daemon"}, &account{unit: "mailweir.service", user: "daemon", uid: 1, gid: 1, groups: []int{1}}},
	} {
		got, err := c.unit.account("mailweir.service")
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
	for _, u := range []serviceUnit{{user: "no-such-user"}, {dynamic: true, groups: []string{"no-such-group"}}} {
		if _, err := u.account("mailweir.service"); err == nil {
			t.Errorf("%+v: no error", u)
		}
	}
}

// TestUnreadable tries files as Debian has them.
func TestUnreadable(t *testing.T) {
	testbed.Require(t, "root")
	if runtime.GOOS != "linux" {
		t.Skip("only Linux lets a thread have rights of its own")
	}
	dir := t.TempDir()
	for d := dir; len(d) > 1; d = filepath.Dir(d) {
		if d != os.TempDir() && strings.HasPrefix(d, os.TempDir()) {
			if err := os.Chmod(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := write(t, dir+"/all", "x", 0o644)
	daemons := write(t, dir+"/daemons", "x", 0o640)
	own := write(t, dir+"/own", "x", 0o600)
	below := write(t, dir+"/closed/below", "x", 0o644)
	for _, err := range []error{os.Chown(daemons, 0, 1), os.Chmod(dir+"/closed", 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	files := []string{all, daemons, own, below, dir + "/none", dir + "/closed"}
	nobody := &account{unit: "mailweir.service", user: "nobody", uid: 65534, gid: 65534}
	want := []string{
		"user nobody (mailweir.service) cannot read " + daemons + ": add it to the group daemon (usermod -aG daemon nobody), and restart the service",
		"user nobody (mailweir.service) cannot read " + own + ": chgrp nogroup " + own + " && chmod g+r " + own,
		"user nobody (mailweir.service) cannot read " + below + ": give it access to " + dir + "/closed",
		"user nobody (mailweir.service) cannot read " + dir + "/closed: give it access",
	}
	if got := nobody.mayNot(files); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	dynamic := &account{unit: "mailweir.service", user: "mailweir", dynamic: true, uid: dynamicID, gid: dynamicID}
	if got := dynamic.mayNot([]string{daemons}); len(got) != 1 || !strings.HasSuffix(got[0], "add it to the group daemon, by SupplementaryGroups=daemon in the unit") {
		t.Errorf("%q", got)
	}
	dynamic.groups = []int{1}
	if got := dynamic.mayNot([]string{daemons, all}); len(got) > 0 {
		t.Errorf("in the group: %q", got)
	}
	socket := dir + "/socket"
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, err := range []error{os.Chown(socket, 0, 1), os.Chmod(socket, 0o660), os.Chown(dir+"/closed", 0, 1), os.Chmod(dir+"/closed", 0o710)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want = []string{
		"user nobody (mailweir.service) cannot connect to " + socket + ": add it to the group daemon (usermod -aG daemon nobody), and restart the service",
		"user nobody (mailweir.service) cannot read " + below + ": add it to the group daemon (usermod -aG daemon nobody), and restart the service",
	}
	if got := nobody.mayNot([]string{socket, below}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := dynamic.mayNot([]string{socket, below}); len(got) > 0 {
		t.Errorf("in the group: %q", got)
	}
	if _, err := os.ReadFile(own); err != nil {
		t.Errorf("the rights of the process have changed: %v", err)
	}
}

// What flags, tables and systemd name is tried as the unit's user.
func TestRights(t *testing.T) {
	testbed.Require(t, "root")
	if runtime.GOOS != "linux" {
		t.Skip("only Linux lets a thread have rights of its own")
	}
	dir := t.TempDir()
	key, other, secret := write(t, dir+"/key", "x", 0o600), write(t, dir+"/other", "x", 0o600), write(t, dir+"/secret", "x", 0o600)
	cf := write(t, dir+"/users.cf", "hosts = unix:"+dir+"/db.sock\n", 0o644)
	l, err := net.Listen("unix", dir+"/db.sock")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, err := range []error{os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir+"/db.sock", 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	conf := write(t, dir+"/conf", "rbl-key = A="+dir+"/run/key\nrbl-key = B="+other+"\nstate = redis://h?password-file="+secret+"\nlisten = unix:"+dir+"/db.sock\n", 0o600)
	s := resolveAll(config.Origin{Given: config.Given{config.FileFlag: {conf}}})
	unit := &serviceUnit{user: "nobody", credentials: []credential{{"key", key}, {"other", other}, {"none", dir + "/none"}}}
	s.handed = s.takeCredentials(unit, dir+"/run/")
	if got := strings.Join(flagValues(s.flags.Lookup("rbl-key")), " "); got != "A="+key+" B="+other {
		t.Errorf("--rbl-key %s", got)
	}
	if s.handed = slices.DeleteFunc(s.handed, func(path string) bool { return path == other }); !slices.Contains(s.handed, key) {
		t.Errorf("handed over: %q", s.handed)
	}
	user := "user nobody (mailweir.service) cannot "
	want := []string{
		"mailweir.service will not start, because of LoadCredential=none:" + dir + "/none: stat " + dir + "/none: no such file or directory",
		user + "read " + conf + ": chgrp nogroup " + conf + " && chmod g+r " + conf,
		user + "connect to " + dir + "/db.sock: give it access",
		user + "read " + other + ": name it /run/credentials/mailweir.service/other, where systemd hands it over",
		user + "read " + secret + ": chgrp nogroup " + secret + " && chmod g+r " + secret,
	}
	if got := s.rightsIn(unit, unitName, []string{cf}); !slices.Equal(got, want) {
		t.Errorf("got %s, want %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := s.rightsIn(&serviceUnit{}, unitName, nil); got != nil {
		t.Errorf("as root: %q", got)
	}
	if got := s.rightsIn(&serviceUnit{user: "no-such-user"}, unitName, nil); len(got) != 1 || !strings.Contains(got[0], "no-such-user") {
		t.Errorf("without a user: %q", got)
	}
}
