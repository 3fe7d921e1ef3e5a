package content

import (
	"archive/tar"
	"compress/bzip2"
	"compress/gzip"
	"io"
	"path"
	"strings"

	"github.com/nwaples/rardecode/v2"
)

// gzip examines a compressed file; a tar archive in it is one more step of depth.
func (w *walk) gzip(f file, in *source) {
	z, err := gzip.NewReader(in)
	if err != nil {
		w.x.reach(LimitUnreadable)
		return
	}
	name := z.Name
	if name == "" {
		name = strings.TrimSuffix(path.Base(f.name), path.Ext(f.name))
	}
	w.member(f, name, false, w.expand(z, in))
}

func (w *walk) bzip2(f file, in *source) {
	name := strings.TrimSuffix(path.Base(f.name), path.Ext(f.name))
	w.member(f, name, false, w.expand(bzip2.NewReader(in), in))
}

// tar examines the members of a tar archive.
func (w *walk) tar(f file, in *source) {
	t := tar.NewReader(in)
	for !w.x.halted() {
		h, err := t.Next()
		switch {
		case err == io.EOF:
			return
		case err != nil:
			w.x.reach(LimitUnreadable)
			return
		case h.Typeflag != tar.TypeReg:
			continue
		}
		if !w.member(f, h.Name, false, t) {
			return
		}
	}
}

// rarDictionary is the largest dictionary of a RAR archive that is unpacked: what archives of up to some MiB use.
const rarDictionary = 8 << 20

// rar examines the members of a RAR archive (formats 1.5 to 5).
func (w *walk) rar(f file, in *source) {
	if !w.x.examiner.pool.budget.take(rarDictionary) {
		w.x.reach(LimitLarge)
		return
	}
	defer w.x.examiner.pool.budget.give(rarDictionary)
	defer func() { // the decoder is not ours, and hostile input is its daily bread
		if recover() != nil {
			w.x.reach(LimitUnreadable)
		}
	}()
	r, err := rardecode.NewReader(in, rardecode.MaxDictionarySize(rarDictionary))
	for err == nil && !w.x.halted() {
		var h *rardecode.FileHeader
		if h, err = r.Next(); err != nil {
			break
		}
		if !h.IsDir && !w.member(f, h.Name, h.Encrypted || h.HeaderEncrypted, w.expand(r, in)) {
			return
		}
	}
	switch err {
	case nil, io.EOF:
	case rardecode.ErrDictionaryTooLarge:
		w.x.reach(LimitLarge)
	default:
		w.x.reach(LimitUnreadable)
	}
}
