package content

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
)

// Sources are definition files as they were read, with the files that they include. What is loaded
// of them is what [Sources.Sum] tells apart, even if a file changes meanwhile.
type Sources struct {
	files []string
	texts map[string]sourceText
	sum   hash.Hash
}

// sourceText is what came of reading a file.
type sourceText struct {
	text []byte
	err  error
}

// ReadSources reads definition files in the order given. What is wrong with them, Load tells.
func ReadSources(files ...string) *Sources {
	s := &Sources{files: files, texts: map[string]sourceText{}, sum: sha256.New()}
	for _, file := range files {
		s.add(file, nil)
		skim := newParser(file, s.read)
		skim.skim = true
		skim.file(file, "")
	}
	return s
}

// read reads each file once.
func (s *Sources) read(name string) ([]byte, error) {
	known, ok := s.texts[name]
	if !ok {
		known.text, known.err = readFile(name)
		s.texts[name] = known
		s.add(name, known.text)
		if known.err != nil { // no file has no name: what cannot be read is not taken for an empty one
			s.add("", []byte(known.err.Error()))
		}
	}
	return known.text, known.err
}

// add sums up a name and a text so that no two lists of them look alike.
func (s *Sources) add(name string, text []byte) {
	var size []byte
	for _, part := range [][]byte{[]byte(name), text} {
		s.sum.Write(binary.BigEndian.AppendUint64(size, uint64(len(part))))
		s.sum.Write(part)
	}
}

// Sum tells definitions apart by the names and the texts of all their files: where it is the same,
// so is what they say.
func (s *Sources) Sum() [sha256.Size]byte { return [sha256.Size]byte(s.sum.Sum(nil)) }

// Load returns the definitions. The error joins one line for each fault, `FILE:LINE: message`.
func (s *Sources) Load() ([]*Definition, error) {
	var defs []*Definition
	var faults []error
	for _, file := range s.files {
		def, err := loadDefinition(file, s.read)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		defs = append(defs, def)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return defs, nil
}
