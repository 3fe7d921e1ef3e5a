package managed

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/byhand"
	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// hit is one entry of a recipient, as it applies to a sender.
type hit struct {
	owner, subject string
	rank           int // 0 is the most specific
	permits        bool
	source         string // for the administrator
}

func (e *hit) isDomain() bool { return !strings.Contains(e.subject, "@") }

// orBetter returns the one of two entries that decides: the most specific, a permit on a tie.
func (e *hit) orBetter(other *hit) *hit {
	if e == nil || other.rank < e.rank || other.rank == e.rank && other.permits && !e.permits {
		return other
	}
	return e
}

// final reports whether no other entry could decide instead.
func (e *hit) final() bool { return e != nil && e.rank == 0 && e.permits }

// blocks reports whether there is an entry and it blocks.
func (e *hit) blocks() bool { return e != nil && !e.permits }

// verdict objects with the reply for this entry, if it blocks.
func (e *hit) verdict(reply func(*hit) *policy.Reply) policy.Verdict {
	if !e.blocks() {
		return policy.Pass
	}
	return policy.Object(reply(e)).Because("%s", e)
}

// String tells in words whose entry it is, and what it says.
func (e *hit) String() string {
	verb := "blocks"
	if e.permits {
		verb = "permits"
	}
	return fmt.Sprintf("%s %s %s: %s", strconv.QuoteToASCII(e.owner), verb, strconv.QuoteToASCII(e.subject), e.source)
}

// readEntries reads a right-hand side: block a@b.example c.example permit d@c.example.
func readEntries(value string) (entries []hit) {
	permits := false
	for _, word := range strings.Fields(value) {
		switch {
		case strings.EqualFold(word, "block"):
			permits = false
		case strings.EqualFold(word, "permit"):
			permits = true
		default:
			if subject, err := byhand.NormalSender(strings.TrimSuffix(word, ",")); err == nil {
				entries = append(entries, hit{subject: subject, permits: permits})
			}
		}
	}
	return entries
}

func validEntries(value string) error {
	words := strings.Fields(value)
	if len(words) < 2 || !strings.EqualFold(words[0], "block") && !strings.EqualFold(words[0], "permit") {
		return fmt.Errorf("%q: want block or permit, and then addresses and domains", value)
	}
	for _, word := range words {
		if strings.EqualFold(word, "block") || strings.EqualFold(word, "permit") {
			continue
		}
		if _, err := byhand.NormalSender(strings.TrimSuffix(word, ",")); err != nil {
			return err
		}
	}
	return nil
}

// space is the space of the state that holds the entries:
// managed|bob@example.org|spammer@example.net.
const space = "managed"

func entryKey(recipient, subject string) string { return state.Key(space, recipient, subject) }

// Entry is one entry of a recipient that was made at run time.
type Entry struct {
	Recipient string `json:"recipient"`
	// Subject is an address or a domain.
	Subject string `json:"subject"`
	Permit  bool   `json:"permit,omitempty"`
	entry.Origin
	// Until is when it ends by itself; zero is never.
	Until time.Time `json:"until"`
}

// row is what stands in the state under an entry's key.
type row struct {
	Permit bool `json:"permit,omitempty"`
	entry.Origin
}

func readRow(value []byte) (v row, ok bool) {
	return v, json.Unmarshal(value, &v) == nil
}

// enter makes an entry of a recipient, for that time or, with 0, until it is removed. It replaces
// one for the same subject.
func enter(ctx context.Context, store state.Store, recipient, subject string, permit bool, life time.Duration, by entry.Origin) error {
	key, err := validKey(recipient, subject)
	if err != nil {
		return err
	}
	value, err := json.Marshal(row{Permit: permit, Origin: by.Clean()})
	if err != nil {
		return err
	}
	_, err = store.Do(ctx, state.Put(key, value, life).Entered())
	return err
}

// takeAway takes an entry away, and reports whether there was one.
func takeAway(ctx context.Context, store state.Store, recipient, subject string) (bool, error) {
	key, err := validKey(recipient, subject)
	if err != nil {
		return false, err
	}
	results, err := store.Do(ctx, state.Delete(key).Entered())
	if err != nil {
		return false, err
	}
	return results[0].Done, nil
}

// validate says what is wrong with a recipient, or with the address or domain of an entry.
func validate(recipient, subject string) error {
	_, err := validKey(recipient, subject)
	return err
}

func validKey(recipient, subject string) (string, error) {
	to := address.Parse(recipient)
	if recipient == policy.Everybody {
		_, err := byhand.NormalSender(subject)
		return "", err
	}
	if to.Local == "" || to.Domain == "" {
		return "", fmt.Errorf("%q is no address of a recipient", recipient)
	}
	subject, err := byhand.NormalSender(subject)
	if err != nil {
		return "", err
	}
	return entryKey(to.Key(), subject), nil
}

// entriesOf lists the run-time entries that count for a recipient, those of his address without its
// extension included, or the entries of all when it is "", at most 10,000.
func entriesOf(ctx context.Context, store state.Store, recipient, delimiter string) ([]Entry, error) {
	if recipient == "" {
		return listUnder(ctx, store, state.Prefix(space))
	}
	to := address.Parse(recipient)
	list, err := listUnder(ctx, store, state.Prefix(space, to.Key()))
	if base := to.Base(delimiter); err == nil && base.Key() != to.Key() {
		var wider []Entry
		wider, err = listUnder(ctx, store, state.Prefix(space, base.Key()))
		list = append(list, wider...)
	}
	return list, err
}

// listUnder lists the entries under a prefix.
func listUnder(ctx context.Context, store state.Store, prefix string) (list []Entry, err error) {
	found, err := store.List(ctx, prefix, "", entry.MaxListed)
	if err != nil {
		return nil, err
	}
	for _, e := range found {
		_, parts := state.Parts(e.Key)
		if row, ok := readRow(e.Value); ok && len(parts) == 2 {
			list = append(list, Entry{Recipient: parts[0], Subject: parts[1], Permit: row.Permit, Origin: row.Origin, Until: e.Until})
		}
	}
	return list, nil
}
