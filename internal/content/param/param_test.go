package param_test

import (
	"slices"
	"strings"
	"testing"

	"mailweir/internal/content/param"
)

func TestNames(t *testing.T) {
	for name, tc := range map[string]struct {
		field string
		want  []string // each is one of the values
	}{
		"as it should be":       {`attachment; filename="i.exe"`, []string{"i.exe"}},
		"no semicolon":          {`attachment filename="i.exe"`, []string{"i.exe"}},
		"a comma":               {`attachment, filename=i.exe, size=3`, []string{"i.exe, size=3", "i.exe"}},
		"something behind":      {`attachment; filename="i.exe" size=3`, []string{"i.exe"}},
		"glued to the quote":    {`attachment; filename="i.exe"x`, []string{"i.exe", "i.exex"}},
		"quoted pairs":          {`attachment; filename="i\.e\xe"`, []string{`i\.e\xe`, "i.exe"}},
		"quoted-printable left": {`attachment; filename=3D"i.exe"`, []string{`3D"i.exe"`, "i.exe"}},
		"two of them":           {`attachment; filename=a.txt; filename=i.exe`, []string{"a.txt", "i.exe"}},
		"extended beside plain": {`attachment; filename=a.txt; filename*=utf-8''i%2Eexe`, []string{"i.exe", "a.txt"}},
		"sections":              {`attachment; filename*1=exe; filename*0="i."`, []string{"i.exe"}},
		"one bad escape":        {`attachment; filename*=utf-8''i%zz%2Eexe`, []string{"i%zz.exe"}},
		"in a comment":          {`attachment (filename=i.exe)`, []string{"i.exe"}},
		"no word in front":      {`filename=i.exe`, []string{"i.exe"}},
		"of another name":       {`attachment; x-filename=i.exe`, []string{"i.exe"}},
	} {
		t.Run(name, func(t *testing.T) {
			values := param.Read(tc.field).Values("filename")
			for _, want := range tc.want {
				if !slices.ContainsFunc(values, func(v string) bool { return strings.TrimRight(v, ")") == want }) {
					t.Errorf("%q has %q, and not %q", tc.field, values, want)
				}
			}
			if len(values) == 0 || strings.TrimRight(values[0], ")") != tc.want[0] {
				t.Errorf("the likeliest of %q is not %q", values, tc.want[0])
			}
		})
	}
}

func TestMost(t *testing.T) {
	for n, more := range map[int]bool{param.Most: false, param.Most + 1: true} {
		p := param.Read("attachment" + strings.Repeat("; x=y; name=z", n))
		if p.More != more {
			t.Errorf("%d parameters: more is %v", n, p.More)
		}
	}
}

func TestMediaType(t *testing.T) {
	for field, want := range map[string]struct {
		name  string
		clean bool
	}{
		"Text/HTML; charset=utf-8": {"text/html", true},
		"text/html charset=utf-8":  {"text/html", false},
		`"text/html";`:             {"text/html", false},
		"text / html":              {"text/html", false},
		"text/html (a note)":       {"text/html", true},
		"x, text/html":             {"text/html", false},
		"":                         {"", true},
	} {
		if name, clean := param.MediaType(field); name != want.name || clean != want.clean {
			t.Errorf("%q is %q, clean %v", field, name, clean)
		}
	}
}

// FuzzRead: what stands where it should is found, whatever follows it.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"", `;filename*0*=x''%41`, `"; filename="\`, "(", `; filename*1=`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		if len(rest) > 4096 {
			return
		}
		p := param.Read("attachment; filename=i.exe;" + rest)
		p.Choices(true)
		if values := p.Values("filename"); !p.More && !slices.Contains(values, "i.exe") {
			t.Errorf("only %q", values)
		}
	})
}
