package config

import (
	"testing"
)

func TestSetLine(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"new file", "", "hops-max = 7\n"},
		{"behind others", "# mine\ntext = a", "# mine\ntext = a\nhops-max = 7\n"},
		{"in its place", "hops-max=3\n# mine\ntext a\n", "hops-max = 7\n# mine\ntext a\n"},
		{"with hyphens, blanks and twice", "  --hops-max 3\ntext=b\nhops-max=4\n", "hops-max = 7\ntext=b\n"},
		{"a comment is none", "#hops-max = 3\n", "#hops-max = 3\nhops-max = 7\n"},
		{"another flag that begins so", "hops-max-x = 3\n", "hops-max-x = 3\nhops-max = 7\n"},
	} {
		if got := SetLine(tt.text, "hops-max", "7"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestDropLine(t *testing.T) {
	if got, dropped := DropLine("# a\nhops-max = 3\ntext=b", "hops-max"); got != "# a\ntext=b\n" || !dropped {
		t.Errorf("%q, %v", got, dropped)
	}
	if got, dropped := DropLine("text=b\n", "hops-max"); got != "text=b\n" || dropped {
		t.Errorf("%q, %v", got, dropped)
	}
}

// What is set is read back, all else reads as before, and dropping it leaves nothing of it.
func FuzzSetLine(f *testing.F) {
	for _, seed := range []string{"", "hops-max=1\n", "--hops-max 1", "text=a\n# x\n\nlist=a\nlist=b", "hops-max", "\x00", "hops-max=1\r\ntext=b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read := func(text string) map[string][]setting {
			return new(Resolved).parseFile("f", text, newFlags().set, true).settings
		}
		before, after := read(text), read(SetLine(text, "hops-max", "7"))
		if list := after["hops-max"]; len(list) != 1 || list[0].value != "7" {
			t.Errorf("%q: hops-max is %v", text, list)
		}
		for name, list := range before {
			if name == "hops-max" {
				continue
			}
			for i, s := range list {
				if after[name][i].value != s.value {
					t.Errorf("%q: %s was %v, is %v", text, name, list, after[name])
				}
			}
		}
		without, _ := DropLine(SetLine(text, "hops-max", "7"), "hops-max")
		if list := read(without)["hops-max"]; len(list) > 0 {
			t.Errorf("%q: hops-max is still %v", text, list)
		}
	})
}
