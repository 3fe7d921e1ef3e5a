package content

import (
	"archive/tar"
	"compress/bzip2"
	"compress/gzip"
	"io"
	"path"
	"strings"

	"mailweir/internal/content/sevenzip"
	"mailweir/internal/content/source"
	"mailweir/internal/content/xz"
)

// gzip examines a compressed file; a tar archive in it is one more step of depth.
func (w *walk) gzip(f file, in *source.Reader) {
	z, err := gzip.NewReader(in)
	if err != nil {
		w.x.reach(LimitUnreadable)
		return
	}
	z.Multistream(false)
	name := z.Name
	if name == "" {
		name = strings.TrimSuffix(path.Base(f.name), path.Ext(f.name))
	}
	w.member(f, false, w.expand(&gzipStreams{z, in}, in), name)
}

// gzipStreams reads streams that follow each other, which are one file, and takes nothing of what
// follows them.
type gzipStreams struct {
	*gzip.Reader
	in *source.Reader
}

func (g *gzipStreams) Read(p []byte) (int, error) {
	for {
		n, err := g.Reader.Read(p)
		if n > 0 || err != io.EOF {
			return n, err
		}
		if more, _ := g.in.Peek(2); string(more) != "\x1f\x8b" {
			return 0, io.EOF
		}
		if err := g.Reset(g.in); err != nil {
			return 0, err
		}
		g.Multistream(false)
	}
}

func (w *walk) bzip2(f file, in *source.Reader) {
	if !w.takeSpare(sevenzip.BZip2Memory) {
		return
	}
	defer w.giveBack(sevenzip.BZip2Memory)
	name := strings.TrimSuffix(path.Base(f.name), path.Ext(f.name))
	w.member(f, false, w.expand(bzip2.NewReader(in), in), name)
}

// tar examines the members of a tar archive.
func (w *walk) tar(f file, in *source.Reader) {
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
		var r io.Reader = t
		if sparse(h) {
			r = w.expand(t, in)
		}
		if !w.member(f, false, r, h.Name) {
			return
		}
	}
}

// sparse tells a member with holes, which stand for any number of zeros that are not in the archive
// (GNU tar, "PAX formats").
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// xz examines a file compressed by xz.
func (w *walk) xz(f file, in *source.Reader) {
	x := xz.NewReader(in, spare{w})
	defer x.Close()
	defer w.survive()
	name := strings.TrimSuffix(path.Base(f.name), path.Ext(f.name))
	body := w.expand(x, in)
	body.clipped = x.Clipped
	w.member(f, false, body, name)
}
