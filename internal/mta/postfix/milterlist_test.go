package postfix

import "testing"

func TestAttachAndDetach(t *testing.T) {
	a := Attachment{Address: "unix:mailweir/mailweir.sock", Action: "accept"}
	ours := "{ unix:mailweir/mailweir.sock, connect_timeout=30s, command_timeout=20s, content_timeout=70s, default_action=accept }"
	if a.String() != ours {
		t.Error(a)
	}
	for _, c := range []struct{ name, before, attached, detached string }{
		{"none", "", ours, ""},
		{"one", "inet:127.0.0.1:11332", ours + ", inet:127.0.0.1:11332", "inet:127.0.0.1:11332"},
		{"several, as they stand", "{ inet:a:1, default_action=accept }  $signer", ours + ", { inet:a:1, default_action=accept }  $signer", "{ inet:a:1, default_action=accept }  $signer"},
		{"in the middle", "inet:a:1, unix:mailweir/mailweir.sock, inet:b:2", ours + ", inet:a:1, inet:b:2", "inet:a:1, inet:b:2"},
		{"at the end", "inet:a:1 { unix:mailweir/mailweir.sock, protocol=6 }", ours + ", inet:a:1", "inet:a:1"},
		{"twice", "unix:mailweir/mailweir.sock unix:mailweir/mailweir.sock", ours, ""},
		{"a name that begins like it", "unix:mailweir/mailweir.sock2", ours + ", unix:mailweir/mailweir.sock2", "unix:mailweir/mailweir.sock2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			attached := Attach(c.before, a)
			if attached != c.attached {
				t.Errorf("attached %s, want %s", attached, c.attached)
			}
			if got := Detach(attached, a.Address); got != c.detached {
				t.Errorf("detached %s, want %s", got, c.detached)
			}
			if again := Attach(attached, a); again != attached {
				t.Errorf("attached again %s", again)
			}
		})
	}
}

func TestWithAction(t *testing.T) {
	const list = "inet:a:1, { unix:m, command_timeout=20s, default_action=accept, { protocol = 6 } }, { inet:b:2, default_action=accept }"
	got, found := WithAction(list, "unix:m", "tempfail")
	if want := "inet:a:1, { unix:m, command_timeout=20s, protocol=6, default_action=tempfail }, { inet:b:2, default_action=accept }"; !found || got != want {
		t.Errorf("%v %s, want %s", found, got, want)
	}
	if got, found := WithAction("unix:m", "unix:m", "tempfail"); !found || got != "{ unix:m, default_action=tempfail }" {
		t.Errorf("%v %s", found, got)
	}
	if got, found := WithAction(list, "unix:other", "tempfail"); found || got != list {
		t.Errorf("%v %s", found, got)
	}
}

func FuzzMilterList(f *testing.F) {
	f.Add("inet:a:1, { unix:m, default_action=accept } $x")
	f.Add("{ unix:m")
	f.Add("unix:m,unix:m}{")
	f.Fuzz(func(t *testing.T, value string) {
		a := Attachment{Address: "unix:m", Action: "accept"}
		attached := Attach(value, a)
		if _, found := Entry(attached, a.Address); !found {
			t.Errorf("%q: not attached: %q", value, attached)
		}
		if detached := Detach(attached, a.Address); Detach(detached, a.Address) != detached {
			t.Errorf("%q: detached twice", value)
		}
		WithAction(value, a.Address, "tempfail")
	})
}
