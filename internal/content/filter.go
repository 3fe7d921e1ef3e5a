package content

import "io"

// filter changes octets on their way.
type filter interface {
	decode(dst, src []byte) []byte // appends to dst
	end(dst []byte) []byte         // gives what was held back
}

type filterReader struct {
	r     io.Reader
	f     filter
	in    [2048]byte
	out   []byte
	ready []byte
}

func filtered(r io.Reader, f filter) io.Reader { return &filterReader{r: r, f: f} }

func (f *filterReader) Read(p []byte) (int, error) {
	for len(f.ready) == 0 {
		n, err := f.r.Read(f.in[:])
		f.out = f.f.decode(f.out[:0], f.in[:n])
		if err != nil {
			f.out = f.f.end(f.out)
		}
		f.ready = f.out
		if err != nil && len(f.ready) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, f.ready)
	f.ready = f.ready[n:]
	return n, nil
}
