package postgres_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"mailweir/internal/record"
	"mailweir/internal/record/contract"
	"mailweir/internal/record/postgres"
	"mailweir/test/testbed"
)

// bed is a server with records in schemas of their own.
type bed struct {
	*testbed.Postgres
	schemas *atomic.Int64
}

func start(t *testing.T) bed {
	t.Helper()
	p := testbed.StartPostgres(t)
	return bed{p, new(atomic.Int64)}
}

// url names an empty record, "" where that cannot be.
func (b bed) url(t *testing.T) string {
	t.Helper()
	schema := fmt.Sprintf("record%d", b.schemas.Add(1))
	if err := b.Do("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("postgres://postgres@/mail?host=%s&port=%s&search_path=%s", b.Socket, testbed.Port(b.Address), schema)
}

// open opens a record and closes it at the end of the test.
func open(t *testing.T, url string, o postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestStore has one server for all, each with a record of its own.
func TestStore(t *testing.T) {
	b := start(t)
	t.Run("contract", func(t *testing.T) {
		contract.Run(t, func(t *testing.T, o contract.Options) record.Store {
			return open(t, b.url(t), postgres.Options{Clock: o.Clock, For: o.For, Max: o.Max, Host: "mx1.example.org"})
		})
	})
	for name, test := range map[string]func(*testing.T, bed){
		"several hosts":         testSeveralHosts,
		"writers of one number": testWritersOfOneNumber,
		"batch is given again":  testBatchIsGivenAgain,
		"schema":                testSchema,
		"dropping is resumed":   testDroppingIsResumed,
		"asker leaves":          testAskerLeaves,
		"gone and back":         testGoneAndBack,
	} {
		t.Run(name, func(t *testing.T) { test(t, b) })
	}
}
