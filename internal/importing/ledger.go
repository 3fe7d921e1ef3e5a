package importing

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"mailweir/internal/textfile"
)

// ledgerFile is the file, in the directory imported, in which a run keeps what it has written, so
// that the next one knows what a person has made of it since.
const ledgerFile = ".import.json"

// ledger is what earlier runs have written.
type ledger struct {
	// At is when the last run was that wrote something.
	At time.Time `json:"at"`
	// Fragment is the sum of 40-import.conf as it was written, "" for none.
	Fragment string `json:"fragment,omitempty"`
	// Pending and PendingFragment are the sums of what a run is about to write: one that was
	// interrupted has written some of it.
	Pending         map[string]string `json:"pending,omitempty"`
	PendingFragment string            `json:"pending_fragment,omitempty"`
	// Sources are the results by the name of their source. A run that reads only one of them keeps
	// the others.
	Sources map[string]*entry `json:"sources"`
}

// entry is what a source came to.
type entry struct {
	Items []Item      `json:"items"`
	Flags []flagEntry `json:"flags,omitempty"`
	// Files are the sums of files by their names, as they were written.
	Files map[string]string `json:"files,omitempty"`
	// Read are the files of the old configuration that could be read.
	Read []string `json:"read,omitempty"`
}

// flagEntry is a [Flag].
type flagEntry struct {
	Name  string  `json:"name"`
	Value string  `json:"value"`
	From  []Place `json:"from,omitempty"`
	Off   string  `json:"off,omitempty"`
}

// readLedger reads that of a directory; an empty one where there is none.
func readLedger(dir string) (*ledger, error) {
	name := filepath.Join(dir, ledgerFile)
	data, err := textfile.Read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &ledger{Sources: map[string]*entry{}}, nil
	}
	if err != nil {
		return nil, err
	}
	l := &ledger{}
	if err := json.Unmarshal(data, l); err != nil {
		return nil, fmt.Errorf("%s: %w; where it is removed, files of earlier runs are taken for yours and stay", name, err)
	}
	if l.Sources == nil {
		l.Sources = map[string]*entry{}
	}
	return l, nil
}

func (l *ledger) text() (string, error) {
	data, err := json.MarshalIndent(l, "", " ")
	return string(data) + "\n", err
}

// sumOf is the sum that a file was written with, "" for one that import has not written.
func (l *ledger) sumOf(name string) string {
	for _, e := range l.Sources {
		if s := e.Files[name]; s != "" {
			return s
		}
	}
	return ""
}

// sum names a content.
func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}
