package postgrey

import (
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/importing"
)

// FuzzLists: whatever stands in a list, each entry is accounted for, and mailweir takes the tables.
func FuzzLists(f *testing.F) {
	f.Add(oddClients + "\n" + oddRecipients)
	f.Add("/(/\n/[/\n/a{2000}/\n/\\/\n//\n/if/\nendif\nif\n!a\n1.2.3.4/33\n::/129\n@\na@\n@a\n\"a b\"@c\n<a@b>\n\x00\n\xff.example\nB\u00fccher.example\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := &reading{Input: &importing.Input{Dir: "/etc/mailweir/imported"}, Result: &importing.Result{}, options: defaults()}
		n := 0
		for _, line := range entries(text) {
			r.clients.line(r, importing.Place{File: "c"}, line)
			r.people.line(r, importing.Place{File: "r"}, line)
			n++
		}
		r.clients.write(r)
		r.people.write(r)
		if len(r.Items) != 2*n {
			t.Fatalf("%d items for %d lines", len(r.Items), n)
		}
		written(t, r.Result, clientsFlag, clientUse)
		written(t, r.Result, recipientsFlag, recipientUse)
	})
}

// FuzzOptions: each word is accounted for, and flags are never of another form.
func FuzzOptions(f *testing.F) {
	f.Add("POSTGREY_OPTS=\"--inet=10023 --delay=60\"\nPOSTGREY_TEXT='x'\n")
	f.Add("A=\"$A ${A} $\" # x\nB='\nC=\\\nexport D=`x`;E=-\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, 0) || strings.HasPrefix(text, dumpBegins) {
			return
		}
		root := tree(t, map[string]string{"postgrey": text})
		in := &importing.Input{Paths: []string{filepath.Join(root, "postgrey")}, Run: nothing}
		r, err := Source().Read(t.Context(), in)
		if err != nil {
			return // such as text that is not UTF-8
		}
		for _, flag := range r.Flags {
			if strings.ContainsAny(flag.Value, " \n-") {
				t.Errorf("--%s=%q", flag.Name, flag.Value)
			}
		}
	})
}

// FuzzDump: what is read of a dump is the same when it is written again.
func FuzzDump(f *testing.F) {
	f.Add("VERSION=3\nformat=print\nHEADER=END\n a\\5cb\n c\\\\d\nDATA=END\n")
	f.Add("VERSION=3\nHEADER=END\n 6162\n 63\nDATA=END\nVERSION=3\n")
	f.Fuzz(func(t *testing.T, text string) {
		m := &memory{options: defaults()}
		n := 0
		_ = readDump(strings.NewReader(text), func(key, value string) {
			n++
			m.entry(key, value)
		})
		if got := len(m.triplets) + len(m.clients) + m.hashed + m.odd + m.unused; got != n {
			t.Errorf("%d of %d entries are accounted for", got, n)
		}
		for _, one := range m.triplets {
			if one.Recipient == "" || !one.Client.IsValid() {
				t.Errorf("triplet %+v", one)
			}
		}
	})
}
