package access

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/importing"
	"mailweir/internal/mta"
	"mailweir/internal/mta/postfix"
	"mailweir/internal/table"
)

// FuzzMaps imports a map of any text: nothing panics, each line is accounted for once, and what is
// written is what mailweir takes.
func FuzzMaps(f *testing.F) {
	for _, seed := range []string{
		"a@b.example REJECT\n.b.example OK\nunknown 550\n", "192.0.2.0/24 OK\nif !10.0.0.0/8\n10.1.0.0/16 REJECT\nendif\n",
		"/^a/ REJECT $1\nif /b/\n/(x)/ 550 5.1.1 no $1\nendif\n", "a class\nb permit_mynetworks, reject\nc 4xx\n", "\xff\x00 OK\n  x\n#\na\n",
	} {
		for kind := range 4 {
			f.Add(seed, kind, kind%2 == 0)
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string, kind int, parents bool) {
		types := [...]string{"texthash", "cidr", "pcre", "regexp"}
		name := filepath.Join(dir, "map")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		argument := types[uint(kind)%uint(len(types))] + ":" + name
		set := map[string]string{
			"smtpd_restriction_classes": "class", "class": "check_sender_access " + argument,
			"smtpd_recipient_restrictions": strings.Join([]string{
				"check_client_access", argument, "check_sasl_access", argument, "permit_mynetworks", "check_sender_access", argument, "check_recipient_access", argument,
				"reject_rbl_client", "rbl.example",
			}, " "),
			"mynetworks": "127.0.0.0/8", "mydestination": "b.example", "recipient_delimiter": "+",
		}
		if parents {
			set["parent_domain_matches_subdomains"] = "smtpd_access_maps"
		}
		in := &importing.Input{
			Postfix: &postfix.Postfix{Config: dir, Parameters: set, Set: set}, Dir: dir,
			Run: func(context.Context, string, ...string) (mta.Output, error) { return mta.Output{}, errors.New("no") },
		}
		r, err := Source().Read(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		lines := make(map[int]bool)
		for _, i := range r.Items {
			if i.File == name && lines[i.Line] {
				t.Errorf("line %d is told twice", i.Line)
			}
			lines[i.Line] = i.File == name
		}
		takes(t, r)
	})
}

// takes opens what an import has written as mailweir does.
func takes(t *testing.T, r *importing.Result) {
	t.Helper()
	uses := map[string]table.ListOptions{}
	for _, k := range kinds {
		any := k.permitUse
		any.Values = table.Any
		uses[k.block], uses[k.permit], uses[k.relay] = k.blockUse, k.permitUse, any
	}
	uses[managedFlag] = kinds[2].permitUse
	for _, f := range r.Files {
		if strings.ContainsAny(f.Name, "/\x00") {
			t.Fatalf("a file %q", f.Name)
		}
	}
	dir := t.TempDir()
	for _, f := range r.Files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(f.Text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range r.Flags {
		kind, path, _ := strings.Cut(f.Value, ":")
		if _, err := table.NewLoader(nil).List(uses[f.Name], kind+":"+filepath.Join(dir, filepath.Base(path))); err != nil {
			data, _ := os.ReadFile(filepath.Join(dir, filepath.Base(path)))
			t.Errorf("%s: %v\n%s", f.Name, err, data)
		}
	}
}
