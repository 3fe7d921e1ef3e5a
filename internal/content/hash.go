package content

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// sumKinds tells which digests of attachments any entry needs, by length in octets.
type sumKinds struct{ md5, sha1, sha256 bool }

func (k *sumKinds) want(length int) {
	switch length {
	case md5.Size:
		k.md5 = true
	case sha1.Size:
		k.sha1 = true
	case sha256.Size:
		k.sha256 = true
	}
}

// summer computes the digests of a file that is read through it.
type summer struct {
	x    *Examination
	r    io.Reader
	sums []hash.Hash
	size int64
}

// summer reads a file.
func (x *Examination) summer(r io.Reader) *summer {
	s, k := &summer{x: x, r: r}, x.sums
	if k.md5 {
		s.sums = append(s.sums, md5.New())
	}
	if k.sha1 {
		s.sums = append(s.sums, sha1.New())
	}
	if k.sha256 {
		s.sums = append(s.sums, sha256.New())
	}
	return s
}

func (s *summer) Read(p []byte) (int, error) {
	if s.x.halted() {
		return 0, errStopped
	}
	n, err := s.r.Read(p)
	s.size += int64(n)
	for _, h := range s.sums {
		h.Write(p[:n])
	}
	return n, err
}

// matchSums counts the hash entries that name what s has read to its end.
func (x *Examination) matchSums(s *summer) {
	if x.all == 0 {
		return
	}
	for _, h := range s.sums {
		for _, entry := range x.examiner.hashes[string(h.Sum(nil))] {
			x.count(entry, Attachments, nil)
		}
	}
}

// fill writes the sums into the part that was read.
func (s *summer) fill(p *Part) {
	for _, h := range s.sums {
		switch digits := hex.EncodeToString(h.Sum(nil)); h.Size() {
		case md5.Size:
			p.MD5 = digits
		case sha1.Size:
			p.SHA1 = digits
		case sha256.Size:
			p.SHA256 = digits
		}
	}
}
