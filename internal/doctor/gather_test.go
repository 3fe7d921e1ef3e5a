package doctor

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/clamd/clamdtest"
	"mailweir/internal/mta"
	"mailweir/test/testbed"
)

// Real scanners object to the samples; one that calls them clean is found out.
func TestScanners(t *testing.T) {
	clamd, spamd, rspamd := testbed.StartClamd(t), testbed.StartSpamd(t), testbed.StartRspamd(t)
	blind := clamdtest.Start(t, &clamdtest.Fake{Answer: "stream: OK\x00"})
	virus := []string{clamd.Socket, blind.Spec(), "clamd:unix:/nowhere/c", "nonsense"}
	spam := []string{"spamd:" + spamd.Address, "rspamd:http://" + rspamd.Address, "spamd:127.0.0.1:1", "rspamd:nonsense"}
	found := GatherScanners(t.Context(), virus, spam, time.Now)
	for i, want := range []struct {
		said    string
		objects bool
		fails   bool
	}{
		{"Eicar.Test.UNOFFICIAL", true, false},
		{"clean", false, false},
		{"", false, true},
		{"", false, true},
		{"GTUBE", true, false},
		{"GTUBE", true, false},
		{"", false, true},
		{"", false, true},
	} {
		got := found[i]
		if got.Objects != want.objects || !strings.Contains(got.Said, want.said) || (got.Err != nil) != want.fails {
			t.Errorf("%s: %+v", got.Name, got)
		}
	}
}

// Neither sample stands in the program as it is, or a scanner would take it for one.
func TestSamplesAreHidden(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range []string{eicarFront + eicarEnd, gtubeFront + gtubeEnd} {
			if strings.Contains(string(text), sample) {
				t.Errorf("%s has a sample", name)
			}
		}
	}
	if !strings.Contains(gtube(), gtubeFront+gtubeEnd) || eicarFront+eicarEnd != testbed.Eicar {
		t.Error("the samples are none")
	}
}

// A host without mail servers has none, and no fault.
func TestGatherNothing(t *testing.T) {
	none := Servers{Sendmail: "/nowhere/sendmail.cf", Run: func(context.Context, string, ...string) (mta.Output, error) {
		return mta.Output{}, &mta.ProgramError{Err: exec.ErrNotFound}
	}}
	p, err := none.GatherPostfix(t.Context())
	s, errSendmail := none.GatherSendmail(t.Context())
	if p != nil || err != nil || s != nil || errSendmail != nil {
		t.Errorf("got %v, %v, %v, %v", p, err, s, errSendmail)
	}
	broken := Servers{Sendmail: t.TempDir(), Run: func(context.Context, string, ...string) (mta.Output, error) { return mta.Output{}, errTest }}
	if _, err := broken.GatherPostfix(t.Context()); !errors.Is(err, errTest) {
		t.Errorf("error %v", err)
	}
	if _, err := broken.GatherSendmail(t.Context()); err == nil {
		t.Error("a directory is read as sendmail.cf")
	}
}

// instances has postconf print the same for each directory.
func instances(list string) mta.Run {
	return func(_ context.Context, _ string, argv ...string) (mta.Output, error) {
		switch last := argv[len(argv)-1]; {
		case argv[0] == "postmulti":
			return mta.Output{Stdout: list}, nil
		case last == "-x":
			return mta.Output{Stdout: "config_directory = " + argv[2] + "\nmail_owner = root\nsmtpd_milters = unix:/nowhere/s, bad\n"}, nil
		case last == "-M":
			return mta.Output{Stdout: "smtp inet n - n - - smtpd\n"}, nil
		}
		return mta.Output{}, nil
	}
}

// The first instance and those that are enabled are looked at, and each milter is tried once.
func TestGatherInstances(t *testing.T) {
	s := Servers{Run: instances("- - n /etc/postfix\nout - y /etc/out\noff - n /etc/off\n"), Root: true}
	all, err := s.GatherPostfix(t.Context())
	if err != nil || len(all) != 2 || all[0].Config != "/etc/postfix" || all[1].Name != "out" {
		t.Fatalf("got %+v, %v", all, err)
	}
	if err, tried := all[1].Tried["/nowhere/s"]; !tried || !errors.Is(err, os.ErrNotExist) || len(all[1].Tried) != 1 {
		t.Errorf("tried %v", all[1].Tried)
	}
	s.Root = false
	if all, _ = s.GatherPostfix(t.Context()); len(all[0].Tried) != 0 {
		t.Errorf("tried as nobody: %v", all[0].Tried)
	}
}

const sendmailExample = "O InputMailFilters=mailweir\nXmailweir, S=unix:SOCKET, F=T, T=C:30s;S:10s;R:20s;E:2m\nXother, S=inet:1@127.0.0.1\nXodd, S=odd\n"

// A Sendmail that does not exist here is read from its file, and its filters are tried.
func TestGatherSendmail(t *testing.T) {
	dir := testbed.TempDir(t)
	open := filepath.Join(dir, "open")
	if err := errors.Join(os.Mkdir(open, 0o755), os.Chmod(open, 0o775)); err != nil {
		t.Fatal(err)
	}
	socket, cf := filepath.Join(open, "s"), filepath.Join(dir, "sendmail.cf")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go hangUp(l)
	for name, text := range map[string]string{cf: strings.ReplaceAll(sendmailExample, "SOCKET", socket), filepath.Join(dir, "sendmail.mc"): "dnl"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := Servers{Sendmail: cf, Root: true, Run: func(context.Context, string, ...string) (mta.Output, error) {
		return mta.Output{Stdout: "Version 8.17\n Compiled with: LOG MILTER\n"}, nil
	}}
	found, err := s.GatherSendmail(t.Context())
	if err != nil || !found.Compiled.Value.Has("MILTER") || found.MC == "" || found.Changed.IsZero() {
		t.Fatalf("got %+v, %v", found, err)
	}
	if err := found.Tried["unix:"+socket]; err == nil || len(found.Tried) != 2 {
		t.Errorf("tried %v", found.Tried)
	}
	if got := found.Open["unix:"+socket]; got != open {
		t.Errorf("others may write to %q, want %s", got, open)
	}
}

// hangUp takes connections and says nothing on them.
func hangUp(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_ = conn.Close()
	}
}

func TestGatherDisk(t *testing.T) {
	d := GatherDisk("state", filepath.Join(t.TempDir(), "not", "yet", "there"))
	if d.Room.Err != nil || d.Room.Value == nil || d.Room.Value.Size == 0 || d.Room.Value.Free > d.Room.Value.Size {
		t.Errorf("got %+v", d)
	}
}

func TestGatherClock(t *testing.T) {
	if c := GatherClock(); c.Err != nil || c.Value == nil {
		t.Errorf("got %+v", c)
	}
}
