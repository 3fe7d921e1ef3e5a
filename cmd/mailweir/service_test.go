package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

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
		"dynamic":         {serviceUnit{dynamic: true}, &account{user: "mailweir", dynamic: true, uid: dynamicID, gid: dynamicID}},
		"nobody":          {serviceUnit{user: "nobody"}, &account{user: "nobody", uid: 65534, gid: 65534, groups: []int{65534}}},
		"group":           {serviceUnit{dynamic: true, group: "daemon"}, &account{user: "mailweir", dynamic: true, uid: dynamicID, gid: 1, groups: []int{1}}},
		"groups":          {serviceUnit{dynamic: true, groups: []string{"daemon", "2"}}, &account{user: "mailweir", dynamic: true, uid: dynamicID, gid: dynamicID, groups: []int{1, 2}}},
		"dynamic, exists": {serviceUnit{dynamic: true, user: "daemon"}, &account{user: "daemon", uid: 1, gid: 1, groups: []int{1}}},
	} {
		got, err := c.unit.account()
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
	for _, u := range []serviceUnit{{user: "no-such-user"}, {dynamic: true, groups: []string{"no-such-group"}}} {
		if _, err := u.account(); err == nil {
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
	nobody := &account{user: "nobody", uid: 65534, gid: 65534}
	want := []string{
		"user nobody (mailweir.service) cannot read " + daemons + ": add it to the group daemon (usermod -aG daemon nobody)",
		"user nobody (mailweir.service) cannot read " + own + ": give it leave, also for the directories above",
		"user nobody (mailweir.service) cannot read " + below + ": give it leave, also for the directories above",
		"user nobody (mailweir.service) cannot read " + dir + "/closed: give it leave, also for the directories above",
	}
	if got := nobody.unreadable(files); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	dynamic := &account{user: "mailweir", dynamic: true, uid: dynamicID, gid: dynamicID}
	if got := dynamic.unreadable([]string{daemons}); len(got) != 1 || !strings.HasSuffix(got[0], "add it to the group daemon, by SupplementaryGroups=daemon in the unit") {
		t.Errorf("%q", got)
	}
	dynamic.groups = []int{1}
	if got := dynamic.unreadable([]string{daemons, all}); len(got) > 0 {
		t.Errorf("in the group: %q", got)
	}
	if _, err := os.ReadFile(own); err != nil {
		t.Errorf("the rights of the process have changed: %v", err)
	}
}
