package importing

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"mailweir/internal/textfile"
)

// ReadText reads a file of the old configuration, which must be a regular file of text of at most
// 64 MiB, and keeps in mind whether that could be read. The name is as it is now: see Old.
func (in *Input) ReadText(name string) ([]byte, error) {
	data, err := textfile.ReadText(name)
	in.Saw(name, err)
	return data, err
}

// Saw keeps in mind that a file, or a directory, was read in another way, or why it could not be.
func (in *Input) Saw(name string, err error) {
	if in.seen == nil {
		in.seen = map[string]error{}
	}
	in.seen[name] = err
}

// Seen are the files that were to be read by [Input.ReadText] and the like, with the error of those
// that could not be.
func (in *Input) Seen() map[string]error { return maps.Clone(in.seen) }

// readable are the files that could be read, in their order.
func (r *Read) readable() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		if r.Files[name] == nil {
			names = append(names, name)
		}
	}
	return names
}

// lost is the first file that an earlier run has read and this one could not, "" for none.
func (r *Read) lost(old *entry) string {
	if old == nil {
		return ""
	}
	for _, name := range old.Read {
		if r.Files[name] != nil {
			return name
		}
	}
	return ""
}

// remarkLost says why what a source came to before stays.
func (p *Plan) remarkLost(s Source, name string, err error) {
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		err = failed.Err
	}
	where := "the configuration of " + s.Kind
	if s.Kind == "postfix" {
		where = "main.cf or master.cf"
	}
	p.notes = append(p.notes, fmt.Sprintf("%s was read by an earlier import and cannot be read now (%v), so all stays that was imported from %s, and nothing new of these is taken over. "+
		"Where the file is gone on purpose, take its name out of %s and import again", name, err, s.Title, where))
}
