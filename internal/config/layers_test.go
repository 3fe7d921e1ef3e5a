package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree writes files below a directory and returns it. The file of flags is called "conf".
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// wrongs are the errors without the directory that they are about.
func wrongs(r *Resolved, dir string) (texts []string) {
	for _, w := range r.Wrong {
		texts = append(texts, strings.ReplaceAll(w.Err.Error(), dir+"/", ""))
	}
	return texts
}

func TestLayers(t *testing.T) {
	files := map[string]string{
		"conf":               "hops-max=1\nlist=one\ntext=a\n",
		"conf.d/10-b.conf":   "hops-max=2\nlist=two\n",
		"conf.d/9.conf":      "hops-max=3\nlist=three\n",
		"conf.d/.20.conf":    "hops-max=4\n",
		"conf.d/20.conf.bak": "hops-max=5\n",
		"conf.d/README":      "hello\n",
	}
	for _, tt := range []struct {
		name        string
		more        map[string]string
		flags       string
		environ     []string
		max         int
		from, lists string
		listsFrom   string
		remarks     string
	}{
		{"by name", nil, "", nil, 3, "conf.d/9.conf:1", "one two three", "conf:2 conf.d/10-b.conf:2 conf.d/9.conf:2", ""},
		{"a list begins again", map[string]string{"conf.d/5.conf": "list =\nlist = four\n"}, "", nil, 3, "conf.d/9.conf:1", "four three", "conf.d/5.conf:2 conf.d/9.conf:2", ""},
		{"a list ends", map[string]string{"conf.d/99.conf": "--list =\n"}, "", nil, 3, "conf.d/9.conf:1", "", "default", ""},
		{"variable", nil, "", []string{"MAILWEIR_HOPS_MAX=6", "MAILWEIR_LIST=x\ny"}, 6, "MAILWEIR_HOPS_MAX", "x y", "MAILWEIR_LIST MAILWEIR_LIST", ""},
		{"command line", nil, "--list=z", []string{"MAILWEIR_LIST=x"}, 3, "conf.d/9.conf:1", "z", "flag", ""},
		{"another directory", map[string]string{"own/x.conf": "hops-max=7\n"}, "--config-dir=@/own", nil, 7, "own/x.conf:1", "one", "conf:2", ""},
		{"another directory by variable", map[string]string{"own/x.conf": "hops-max=7\n"}, "", []string{"MAILWEIR_CONFIG_DIR=@/own"}, 7, "own/x.conf:1", "one", "conf:2", ""},
		{"no directory", nil, "--config-dir=", nil, 1, "conf:1", "one", "conf:2", ""},
		{"a fragment by another name", map[string]string{"conf.d/60-modes": "hops-max=8\n"}, "", nil, 3, "conf.d/9.conf:1", "one two three", "conf:2 conf.d/10-b.conf:2 conf.d/9.conf:2", "conf.d/60-modes is not read: its name does not end in .conf"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := tree(t, files)
			for name, text := range tt.more {
				_ = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700)
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			in := func(s string) string { return strings.ReplaceAll(s, "@", dir) }
			for i := range tt.environ {
				tt.environ[i] = in(tt.environ[i])
			}
			args := []string{"--config=" + dir + "/conf"}
			if tt.flags != "" {
				args = append(args, in(tt.flags))
			}
			for _, usual := range []bool{false, true} {
				f, o := newFlags(), Origin{Given: commandLine(t, args...), Environ: tt.environ}
				if usual {
					o.Usual = dir + "/conf"
					delete(o.Given, FileFlag)
				}
				r := Resolve(f.set, o)
				if len(r.Wrong) > 0 {
					t.Fatal(r.Wrong)
				}
				var listsFrom []string
				for _, p := range r.Sources("list") {
					listsFrom = append(listsFrom, strings.TrimPrefix(p.String(), dir+"/"))
				}
				if got := strings.TrimPrefix(r.Of("hops-max", 0), dir+"/"); *f.max != tt.max || got != tt.from {
					t.Errorf("hops-max %d from %s, want %d from %s", *f.max, got, tt.max, tt.from)
				}
				if got := strings.Join(*f.lists, " "); got != tt.lists || strings.Join(listsFrom, " ") != tt.listsFrom {
					t.Errorf("lists %q from %q, want %q from %q", got, listsFrom, tt.lists, tt.listsFrom)
				}
				if got := strings.ReplaceAll(strings.Join(r.Remarks, "\n"), dir+"/", ""); got != tt.remarks {
					t.Errorf("remarks %q, want %q", got, tt.remarks)
				}
				if got := f.set.Lookup(FileFlag).Value.String(); got != dir+"/conf" {
					t.Errorf("--config %q", got)
				}
			}
		})
	}
}

// The usual file may be missing, what somebody names may not; what is there must be readable.
func TestMissingFiles(t *testing.T) {
	dir := tree(t, map[string]string{"a/conf.d/1.conf": "hops-max=4\n", "b/conf": "", "c/conf.d": "", "d/conf": "", "d/conf.d/1.conf/x": "", "e/conf": "\ufeffhops-max=1\n"})
	for _, tt := range []struct {
		name, usual, flags, want string
		max                      int
	}{
		{"nothing", "none/conf", "", "", 25},
		{"a directory alone", "a/conf", "", "", 4},
		{"no directory", "b/conf", "", "", 25},
		{"no file", "a/conf", "--config=", "", 25},
		{"a file that is named", "b/conf", "--config=a/conf", "--config: open a/conf: no such file or directory", 4},
		{"a directory that is named", "b/conf", "--config-dir=b/conf.d", "--config-dir: open b/conf.d: no such file or directory", 25},
		{"a file for a directory", "c/conf", "", "--config-dir: ", 25},
		{"a directory for a file", "d/conf", "", "--config-dir: open d/conf.d/1.conf: not a regular file", 25},
		{"a mark", "e/conf", "", "e/conf:1: the file begins with a byte order mark", 25},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{}
			if name, value, ok := strings.Cut(tt.flags, "="); ok && value != "" {
				args = append(args, name+"="+dir+"/"+value)
			} else if ok {
				args = append(args, tt.flags)
			}
			f := newFlags()
			r := Resolve(f.set, Origin{Given: commandLine(t, args...), Usual: filepath.Join(dir, tt.usual)})
			got := strings.Join(wrongs(r, dir), "\n")
			if !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") || *f.max != tt.max {
				t.Errorf("%q and hops-max %d, want %q and %d", got, *f.max, tt.want, tt.max)
			}
		})
	}
}

// Who writes a fragment learns what would win over it.
func TestAbove(t *testing.T) {
	dir := tree(t, map[string]string{
		"conf": "hops-max=1\n", "conf.d/40-import.conf": "hops-max=2\n", "conf.d/60-modes.conf": "\nhops-max=3\n", "conf.d/70-own.conf": "\n\nhops-max=4\n",
	})
	r := Resolve(newFlags().set, Origin{Given: commandLine(t, "--config="+dir+"/conf", "--hops-max=6"), Environ: []string{"MAILWEIR_HOPS_MAX=5"}})
	for file, want := range map[string]string{
		"conf":                  "conf.d/40-import.conf:1 conf.d/60-modes.conf:2 conf.d/70-own.conf:3 MAILWEIR_HOPS_MAX flag",
		"conf.d/50-init.conf":   "conf.d/60-modes.conf:2 conf.d/70-own.conf:3 MAILWEIR_HOPS_MAX flag",
		"conf.d/60-modes.conf":  "conf.d/70-own.conf:3 MAILWEIR_HOPS_MAX flag",
		"conf.d/80-latest.conf": "MAILWEIR_HOPS_MAX flag",
	} {
		if got := strings.ReplaceAll(strings.Trim(fmt.Sprint(r.Above("hops-max", dir+"/"+file)), "[]"), dir+"/", ""); got != want {
			t.Errorf("above %s: %s, want %s", file, got, want)
		}
	}
	if above := r.Above("text", dir+"/conf"); above != nil {
		t.Error(above)
	}
	var settings []string
	for _, s := range r.Settings("hops-max") {
		settings = append(settings, fmt.Sprint(strings.TrimPrefix(s.String(), dir+"/"), "=", s.Value, " ", s.Wins))
	}
	want := []string{"conf:1=1 false", "conf.d/40-import.conf:1=2 false", "conf.d/60-modes.conf:2=3 false", "conf.d/70-own.conf:3=4 false", "MAILWEIR_HOPS_MAX=5 false", "flag=6 true"}
	if !slices.Equal(settings, want) {
		t.Errorf("settings %q, want %q", settings, want)
	}
	if !slices.Equal(r.Variables, []string{"MAILWEIR_HOPS_MAX"}) || len(r.Files) != 4 || r.File != dir+"/conf" || r.Dir != dir+"/conf.d" {
		t.Errorf("variables %q, files %q, %s, %s", r.Variables, r.Files, r.File, r.Dir)
	}
}

func TestOpenToEverybody(t *testing.T) {
	dir := tree(t, map[string]string{"conf": "", "conf.d/1.conf": "", "conf.d/2.conf": ""})
	for _, name := range []string{"/conf", "/conf.d", "/conf.d/2.conf"} {
		if err := os.Chmod(dir+name, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	r := Resolve(newFlags().set, Origin{Usual: dir + "/conf"})
	var want []string
	for _, name := range []string{"/conf", "/conf.d", "/conf.d/2.conf"} {
		want = append(want, "everybody may write to "+dir+name+": chmod o-w "+dir+name)
	}
	if !slices.Equal(r.Remarks, want) {
		t.Errorf("%q, want %q", r.Remarks, want)
	}
}

// Who may not read the file is told who may.
func TestUnreadable(t *testing.T) {
	dir := tree(t, map[string]string{"conf": "hops-max=1\n"})
	r := &Resolved{}
	r.cannotRead(FileFlag, dir+"/conf", &os.PathError{Op: "open", Path: dir + "/conf", Err: os.ErrPermission})
	if got, want := r.Wrong[0].Err.Error(), "--config: open "+dir+"/conf: permission denied; run this as root"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What other programs allow in their files is refused with a word that says what to write.
func TestOddValues(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`text = "a"`, "1: --text: quotes around a value would be part of it"},
		{`text = 'a b'`, "1: --text: quotes around a value would be part of it"},
		{`text = "a" and "b"`, "1: --text: quotes around a value would be part of it"},
		{`text = "`, ""},
		{`text = "a`, ""},
		{"hops-max = 30 # loops", "1: --hops-max: a comment behind a value would be part of it: give it a line of its own"},
		{"hops-max = 30\t# loops", "1: --hops-max: a comment behind a value would be part of it"},
		{"text = a#b", ""},
		{"list = inline:{a=550 5.7.1 see #5, b=x}", ""},
		{"list = inline:{a=x} # b", "1: --list: a comment behind a value"},
		{"list = inline:{a=x},\n   inline:{b=x}", "2: the line begins with white space, as if it continued the one before"},
		{"  list = inline:{a=x}\n\ttext = a", ""},
		{"list = a.example,b.example", `1: --list: "a.example,b.example" is no file, and a table is meant: name a file with one a line, list:/PATH, or write inline:{a.example=x, b.example=x}`},
		{"list = a.example", `1: --list: "a.example" is no file, and a table is meant`},
		{"list = hash:/etc/a, hash:/etc/b", "1: --list: this looks like several tables: give each a --list of its own"},
		{"list = hash:/etc/a hash:/etc/b", "1: --list: this looks like several tables"},
		{"list = hash:/etc/a,b", ""},
		{"list = nofile", ""},
		{"always-accept = a,b", ""},
	} {
		r := Resolve(newFlags().set, Origin{Given: commandLine(t, "--config="+file(t, tt.text))})
		got := ""
		if len(r.Wrong) > 0 {
			_, got, _ = strings.Cut(r.Wrong[0].Err.Error(), "flags:")
		}
		if !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") || len(r.Wrong) > 1 {
			t.Errorf("%q: %v, want %q", tt.text, r.Wrong, tt.want)
		}
	}
	// The shell has taken quotes away; docker's --env-file has not.
	if r := Resolve(newFlags().set, Origin{Given: Given{"text": {`"a"`}}}); len(r.Wrong) > 0 {
		t.Error(r.Wrong)
	}
	if r := Resolve(newFlags().set, Origin{Environ: []string{`MAILWEIR_TEXT="a"`}}); len(r.Wrong) != 1 {
		t.Error(r.Wrong)
	}
}

// Whatever stands in two files, in a variable and on the command line: nothing crashes, what is
// wrong has a place and is in order, each value has a source, and what is said to win does.
func FuzzLayers(f *testing.F) {
	f.Add("hops-max=1\nlist=a\n", "hops-max = 2\nlist =\nlist = b\n", "3", "x")
	f.Add("text = \"a\"\nlist=a.example,b.example", "hops-mx=1\n  list = c\n", "many", "")
	f.Add("address-strict\nlist=", "list=\nlist=\n", "", "a\nb")
	f.Fuzz(func(t *testing.T, first, second, variable, list string) {
		const conf, fragment = "/nowhere/conf", "/nowhere/conf.d/1.conf"
		set := newFlags().set
		r := Resolve(set, Origin{
			Usual: conf, Texts: map[string]string{conf: first, fragment: second},
			Environ: []string{"MAILWEIR_HOPS_MAX=" + variable, "MAILWEIR_LIST=" + list},
		})
		for i, w := range r.Wrong {
			if w.Err.Error() == "" || w.Place.IsDefault() || i > 0 && r.Compare(r.Wrong[i-1].Place, w.Place) > 0 {
				t.Errorf("%v after %v", w, r.Wrong[:i])
			}
		}
		if got := r.Files; !slices.Equal(got, []string{conf, fragment}) {
			t.Errorf("read %q", got)
		}
		for _, flag := range []string{"hops-max", "list", "text", "always-accept", "address-strict"} {
			last := Place{}
			for _, s := range r.Settings(flag) {
				if r.Compare(last, s.Place) > 0 && !last.IsDefault() {
					t.Errorf("--%s: %v before %v", flag, last, s.Place)
				}
				last = s.Place
			}
			above := r.Above(flag, fragment)
			for _, p := range above {
				if p.Line != 0 {
					t.Errorf("--%s: %v is above the last file", flag, p)
				}
			}
			if sources := r.Sources(flag); len(sources) == 0 || flag == "list" && !sources[0].IsDefault() && len(sources) != len(values(set.Lookup(flag))) {
				t.Errorf("--%s: sources %v", flag, sources)
			}
		}
	})
}

// Which flags are given is told by Changed: a draft goes by it.
func TestChanged(t *testing.T) {
	dir := tree(t, map[string]string{"conf": "list = a\nhops-max = 25\n", "conf.d/1.conf": "list =\naddress-strict = perhaps\n"})
	set := newFlags().set
	r := Resolve(set, Origin{Given: Given{FileFlag: {}, "always-accept": {}}, Usual: dir + "/conf"})
	if len(r.Wrong) > 0 || set.Lookup(FileFlag).Value.String() != "" || r.File != "" {
		t.Errorf("--config without a value: %v, %q", r.Wrong, r.File)
	}
	set = newFlags().set
	r = Resolve(set, Origin{Usual: dir + "/conf"})
	for flag, want := range map[string]bool{"list": true, "hops-max": true, "address-strict": false, "text": false, FileFlag: false, DirFlag: false} {
		if got := set.Lookup(flag).Changed; got != want {
			t.Errorf("--%s changed: %v, want %v (%v)", flag, got, want, r.Wrong)
		}
	}
	if got := set.Lookup(DirFlag).Value.String(); got != dir+"/conf.d" {
		t.Errorf("--config-dir %s", got)
	}
	set = newFlags().set
	Resolve(set, Origin{Usual: dir + "/none"})
	if got := set.Lookup(FileFlag).Value.String(); got != "" {
		t.Errorf("--config %s, which is not there", got)
	}
}

// An error repeats what fits into 400 octets of a value, and no more.
func TestShort(t *testing.T) {
	for n, want := range map[int]int{399: 399, 400: 400, 401: 400 + len("…")} {
		if got := short(errors.New(strings.Repeat("x", n))); len(got) != want {
			t.Errorf("of %d octets %d, want %d", n, len(got), want)
		}
	}
}

// The group that may read a file is the one to join.
func TestReaders(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	dir := tree(t, map[string]string{"conf": ""})
	name := dir + "/conf"
	for _, tt := range []struct {
		gid  int
		mode os.FileMode
		want string
	}{
		{1, 0o640, "root and group daemon may read it: run this as root, or as a member of that group"},
		{1, 0o600, "run this as root"},
		{0, 0o640, "run this as root"},
		{54321, 0o640, "root and group 54321 may read it: run this as root, or as a member of that group"},
	} {
		if err := errors.Join(os.Chown(name, 0, tt.gid), os.Chmod(name, tt.mode)); err != nil {
			t.Fatal(err)
		}
		if got := readers(name); got != tt.want {
			t.Errorf("%d %v: %s, want %s", tt.gid, tt.mode, got, tt.want)
		}
	}
	if err := errors.Join(os.Chown(dir, 0, 1), os.Chmod(dir, 0o750)); err != nil {
		t.Fatal(err)
	}
	if got, want := readers(dir+"/none/conf"), "root and group daemon may read it: run this as root, or as a member of that group"; got != want {
		t.Errorf("of a directory: %s", got)
	}
}
