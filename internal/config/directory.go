package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// fragments is the suffix of the files that are read of a directory.
const fragments = ".conf"

// beside is the directory that belongs to a file unless another one is named.
func beside(file string) string { return filepath.Join(filepath.Dir(file), "conf.d") }

// leftOver are names that editors and package managers give to what they have put aside.
var leftOver = regexp.MustCompile(`^\.|^README|[~#]$|\.(bak|old|orig|rej|sw[a-p]|dpkg-\w+|ucf-\w+|rpm(save|new|orig))$`)

// listDir returns the files to read of the directory, by name. One that nobody has named may be
// missing.
func (r *Resolved) listDir(named bool) (files []string, err error) {
	if r.Dir == "" {
		return nil, nil
	}
	for name := range r.texts {
		if filepath.Dir(name) == filepath.Clean(r.Dir) && strings.HasSuffix(name, fragments) {
			files = append(files, name)
		}
	}
	entries, err := os.ReadDir(r.Dir)
	switch {
	case err != nil && !named && errors.Is(err, fs.ErrNotExist):
		return files, nil
	case err != nil:
		return nil, err
	}
	r.remarkOpen(r.Dir)
	for _, e := range entries {
		path := filepath.Join(r.Dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case slices.Contains(files, path):
		case strings.HasSuffix(e.Name(), fragments):
			files = append(files, path)
		case !leftOver.MatchString(e.Name()):
			r.Remarks = append(r.Remarks, fmt.Sprintf("%s is not read: its name does not end in %s", path, fragments))
		}
	}
	slices.Sort(files)
	return files, nil
}

// cannotRead keeps that a file cannot be read, or the directory.
func (r *Resolved) cannotRead(flag, name string, err error) {
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w; %s", err, readers(name))
	}
	if !strings.HasPrefix(err.Error(), name+":") { // else it has a line
		err = fmt.Errorf("--%s: %w", flag, err)
	}
	r.Wrong = append(r.Wrong, Wrong{flag, Place{Name: name}, err})
}

// remarkOpen says of a file or directory that everybody may write to it, who then decides what mail
// is let in.
func (r *Resolved) remarkOpen(name string) {
	if info, err := os.Stat(name); err == nil && info.Mode()&0o002 != 0 {
		r.Remarks = append(r.Remarks, fmt.Sprintf("everybody may write to %s: chmod o-w %[1]s", name))
	}
}

// readers says who may read a file, as far as this user may know.
func readers(name string) string {
	for {
		info, err := os.Stat(name)
		if err == nil {
			if group := groupOf(info); group != "" {
				return "root and group " + group + " may read it: run this as root, or as a member of that group"
			}
			return "run this as root"
		}
		above := filepath.Dir(name)
		if above == name {
			return "run this as root"
		}
		name = above
	}
}
