package dialog

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailweir/checks"
	"mailweir/internal/record/files"
	"mailweir/internal/record/why"
	"mailweir/test/testbed"
)

// recordFlag has mailweir keep its record in the dialog's directory.
func (r *run) recordFlag() string { return "--record=file:" + r.recordDir() }

func (r *run) recordDir() string { return filepath.Join(r.dir, "record") }

// withIDs puts ids of events in the place of [ID], [ID2] …
func (r *run) withIDs(text string) string {
	for name, id := range r.ids {
		text = strings.ReplaceAll(text, "["+name+"]", id)
	}
	return text
}

// recorded sees, once mailweir has ended, that every decision is in the record and is told by its
// id: those that replies named and those of the log.
func (r *run) recorded() error {
	ids := make([]string, 0, len(r.ids))
	for _, id := range r.ids {
		ids = append(ids, id)
	}
	for _, entry := range r.mailweir.Entries() {
		if id := entry["event"]; id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	store, err := files.OpenReadOnly(r.recordDir(), files.Options{Clock: time.Now})
	if err != nil {
		return fmt.Errorf("the record: %w", err)
	}
	defer store.Close()
	ctx, cancel := context.WithTimeout(context.Background(), testbed.Patience)
	defer cancel()
	teller := &why.Teller{Reader: store, Registry: checks.Registry(), Clock: time.Now}
	for _, id := range ids {
		told, err := teller.Tell(ctx, id)
		if err != nil {
			return err
		}
		if told.ID != id || told.Summary == "" || told.Ways[0].Says == "" {
			return fmt.Errorf("%s is told as %+v", id, told)
		}
	}
	return nil
}
