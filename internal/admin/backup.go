package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// StateBackup is the operation by which a backup of the state is fetched, a part at a time.
const StateBackup = "state/backup-part"

// BackupPart asks for the octets of a backup from an offset on. Without an ID another one begins.
type BackupPart struct {
	ID     string `json:"id,omitempty"`
	Offset int64  `json:"offset,omitempty"`
}

// BackupOctets is a part of a backup; none follows after Size.
type BackupOctets struct {
	ID     string `json:"id"`
	Size   int64  `json:"size"`
	Octets []byte `json:"octets"`
}

const (
	partOctets = 4 << 20
	// BackupWithin is how long a part may take: the first waits for the snapshot.
	BackupWithin = 30 * time.Minute
	// keptWithin is how long a snapshot is kept for somebody who fetches nothing more.
	keptWithin = 5 * time.Minute
)

// backups has the snapshot that is being fetched: one at a time, for it takes room on the disk.
type backups struct {
	mu   sync.Mutex
	id   string
	file *os.File
	size int64
	idle *time.Timer
}

var errAnotherBackup = errors.New("another backup has begun, or this one was left for too long: give the command again")

func (b *backups) part(_ context.Context, c *policy.Call, p BackupPart) (BackupOctets, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.ID == "" {
		if err := b.begin(c.Backends.State); err != nil {
			return BackupOctets{}, err
		}
	} else if b.file == nil || p.ID != b.id {
		return BackupOctets{}, errAnotherBackup
	}
	b.idle.Reset(keptWithin)
	part := BackupOctets{ID: b.id, Size: b.size, Octets: make([]byte, max(0, min(partOctets, b.size-p.Offset)))}
	if _, err := b.file.ReadAt(part.Octets, p.Offset); err != nil && !errors.Is(err, io.EOF) {
		return BackupOctets{}, err
	}
	if p.Offset+int64(len(part.Octets)) >= b.size {
		b.end()
	}
	return part, nil
}

func (b *backups) begin(store state.Store) error {
	b.end()
	file, err := state.Snapshot(store)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	b.id, b.file, b.size = rand.Text(), file, info.Size()
	b.idle = time.AfterFunc(keptWithin, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.file == file {
			b.end()
		}
	})
	return nil
}

func (b *backups) end() {
	if b.file != nil {
		b.idle.Stop()
		_ = b.file.Close() // which frees its room
		b.file = nil
	}
}
