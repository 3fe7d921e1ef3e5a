package importing

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/mta/postfix"
)

// Somebody has edited a file: what is told of a map of senders then, and how many commands are
// shown.
func TestEditedFiles(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(h *host)
		// told is the fate of each line, and file the one that left ones name.
		told, file string
		commands   int
	}{
		{"nothing", func(*host) {}, "carried a, carried b, carried new", "", 1},
		{"an edited list", func(h *host) { h.edit("a-list", "a REJECT\nmine REJECT\n") }, "carried a, left b, left new", "a-list", 0},
		{"one that has the new line already", func(h *host) { h.edit("a-list", "# my own\nnew REJECT\nA REJECT mine\nb REJECT\n") }, "carried a, carried b, carried new", "", 1},
		{"an emptied list", func(h *host) { h.edit("a-list", "") }, "left a, left b, left new", "a-list", 0},
		{"an emptied 40-import.conf", func(h *host) { h.edit(h.Fragment, "") }, "left a, left b, left new", "40-import.conf", 0},
		{"one that has the line", func(h *host) {
			h.edit(h.Fragment, "# mine\nlist=texthash:"+filepath.Join(h.Dir, "a-list")+"\n")
		}, "carried a, carried b, carried new", "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t)
			read := func(words ...string) Read {
				lines := []string{"flag list=texthash:" + filepath.Join(h.Dir, "a-list")}
				text := ""
				for _, word := range words {
					lines = append(lines, "carried "+word+" REJECT")
					text += word + "\tREJECT\n"
				}
				r := source("a", lines...)
				r.Result.Files = []File{{Name: "a-list", Text: text}}
				r.Result.Doubles = []Double{{Parameter: "smtpd_sender_restrictions"}}
				return r
			}
			h.apply(read("a", "b"))
			c.edit(h)
			from := &postfix.Postfix{Config: "/etc/postfix", Set: map[string]string{"smtpd_sender_restrictions": "check_sender_access hash:x"}}
			for range 2 { // what is told stays so
				r := h.apply(read("a", "b", "new")).Report(from)
				var told []string
				for _, i := range r.Items {
					told = append(told, string(i.Fate)+" "+firstWord(i.Text))
					if i.Fate == Left && !strings.Contains(i.Reason, "is not written into "+h.path(c.file)+", which was edited: ") {
						t.Errorf("%s", i.Reason)
					}
				}
				h.want("told", strings.Join(told, ", "), c.told)
				if len(r.Doubles) != c.commands || (len(r.Notes) == 0) != (c.commands > 0) {
					t.Errorf("%v, %q", r.Doubles, r.Notes)
				}
			}
		})
	}
}

// path is that of one of the files.
func (h *host) path(name string) string {
	if name == filepath.Base(h.Fragment) {
		return h.Fragment
	}
	return filepath.Join(h.Dir, name)
}

// Of two files from one map, the lines of the one that is loaded are not told as left.
func TestOneOfTwoFilesEdited(t *testing.T) {
	for name, edit := range map[string]func(*host){
		"the list":       func(h *host) { h.edit("a-block", "bad REJECT\n") },
		"40-import.conf": func(h *host) { h.edit(h.Fragment, "other = texthash:"+filepath.Join(h.Dir, "a-permit")+"\n") },
	} {
		h := newHost(t)
		read := func(bad, good string) Read {
			r := source("a", "flag list=texthash:"+filepath.Join(h.Dir, "a-block"), "flag other=texthash:"+filepath.Join(h.Dir, "a-permit"), "carried "+bad+" REJECT", "carried "+good+" OK")
			r.Result.Files = []File{{Name: "a-block", Text: bad + " REJECT\n"}, {Name: "a-permit", Text: good + " OK\n"}}
			return r
		}
		h.apply(read("bad", "good"))
		edit(h)
		var told []string
		for _, i := range h.apply(read("worse", "better")).Report(nil).Items {
			told = append(told, fmt.Sprintf("%s %s", i.Fate, i.Text))
		}
		h.want(name, strings.Join(told, ", "), "left worse REJECT, carried better OK")
	}
}
