package sql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mailweir/internal/table/remote"
)

// table asks the table of one file.
type table struct {
	*config
	*pool
}

// Find asks for a key, unless it is one that the file excludes.
func (t *table) Find(ctx context.Context, key string) (string, bool, error) {
	if ok, err := t.asks(ctx, key); err != nil || !ok {
		return "", false, t.file.Redact(err)
	}
	var found []string
	err := t.do(ctx, func(ctx context.Context, s session) error {
		var err error
		found, err = s.find(ctx, key)
		return err
	})
	if err != nil {
		return "", false, t.show(err)
	}
	return t.answer(key, found)
}

// show returns an error without passwords.
func (t *table) show(err error) error {
	var a remote.Answered
	if errors.As(err, &a) {
		return remote.Answered{Err: t.file.Redact(err)}
	}
	return t.file.Redact(err)
}

// Probe asks whether a host answers.
func (t *table) Probe(ctx context.Context) error {
	return t.show(t.do(ctx, func(ctx context.Context, s session) error {
		_, err := s.ping(ctx)
		return err
	}))
}

// trial is a key that nobody has, and has all the parts that a query may want.
const trial = "mailweir-check@1.2.3.4.5.6.7.8.invalid"

// Inspect asks every host what it is, and carries out the query with a key that nobody has.
func (t *table) Inspect(ctx context.Context) (string, []string, error) {
	var found, remarks []string
	var failures []error
	hosts := t.order()
	for i, h := range hosts {
		var what string
		err := t.try(ctx, h, len(hosts)-i, func(ctx context.Context, s session) (err error) {
			if what, err = s.ping(ctx); err == nil {
				_, err = s.find(ctx, trial)
			}
			return err
		})
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", h.name, err))
			continue
		}
		found = append(found, what+" at "+h.name)
	}
	if len(found) == 0 {
		return "", nil, t.file.Redact(joined(failures))
	}
	for _, err := range failures {
		remarks = append(remarks, "a host does not answer: "+t.file.Redact(err).Error())
	}
	return strings.Join(found, ", "), remarks, nil
}

// Close closes the connections that are idle; others are when they come back.
func (t *table) Close() error {
	t.close()
	return nil
}

var _ remote.Driver = (*table)(nil)
