package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mailweir/internal/address"
	"mailweir/internal/admin"
	"mailweir/internal/config"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/internal/record/row"
)

// recordDelete is the operation by which the daemon deletes.
const recordDelete = "record/delete"

// deletion is about one address.
type deletion struct {
	Address string `json:"address"`
}

// deleted is what came of it.
type deleted struct {
	Entries int `json:"entries"`
}

// check refuses what is no whole address: a domain is not one person.
func (d deletion) check() error {
	a := address.Parse(d.Address)
	if a.Local == "" || a.Domain == "" || strings.ContainsAny(a.Domain, " <>@") {
		return policy.Wrongf("--address: give one whole address, such as user@example.org")
	}
	return nil
}

// deleteOperation deletes everything about an address from the record, by the function that has it.
// Only an admin may. The audit has a digest of the address, and never the address.
func deleteOperation(from func(ctx context.Context, address string) (int, error)) policy.Operation {
	run := func(ctx context.Context, c *policy.Call, d deletion) (deleted, error) {
		if err := d.check(); err != nil {
			return deleted{}, err
		}
		forget := row.NewForget(d.Address)
		c.Why = forget.Hide(c.Why)
		n, err := from(ctx, d.Address)
		c.Altered(forget.Hash(), fmt.Sprintf("%d entries of the record", n), "")
		switch {
		case errors.Is(err, record.ErrUnavailable):
			return deleted{}, &admin.UnavailableError{Text: err.Error()}
		case err != nil:
			return deleted{}, errors.New(forget.Hide(err.Error()))
		}
		return deleted{n}, nil
	}
	request := func(*policy.Flags) func([]string) (deletion, error) {
		return func([]string) (deletion, error) { return deletion{}, nil }
	}
	about := policy.About{Name: "delete", Effect: policy.Changes, Hidden: true, Daemon: true, May: []policy.Role{}}
	return policy.NewOperation(about, request, run, nil)
}

func newEventsDelete() *cobra.Command {
	var d deletion
	var note string
	cmd := &cobra.Command{
		Use:   "delete --address=ADDRESS",
		Short: "Delete everything about an address from the record",
		Long: `Deletes every decision and message of which the address is the sender, a recipient or the login, and every one that names it anywhere: in a
cause, a question, a header field. Whoever else the entry was about, it goes whole. The address with an extension (user+news@example.org) goes with
it. In the audit a digest (SHA-256) takes the place of the address, also in the row about this deletion.

In files, what is deleted is overwritten, and the log beside the file is emptied. In PostgreSQL the tables are vacuumed; what the server's own log,
replicas and backups still have is for whoever runs it.

What else knows the address is named at the end, with the command to look.

Exit code 0: done, whether or not anything was there. 64: wrong use. 69: the record, or the daemon, cannot be reached. 77: this user may not.`,
		Example: `  mailweir events delete --address=user@example.org --note='request of 2026-11-29'`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := d.check(); err != nil {
				return operationError(err)
			}
			n, err := deleteFromRecord(cmd, d, note)
			if err != nil {
				return operationError(err)
			}
			return writeDeleted(cmd.OutOrStdout(), d.Address, n)
		},
	}
	// The flag of the check of that name is not this command's.
	serves := pflag.NewFlagSet("mailweir", pflag.ContinueOnError)
	register(serves)
	serves.VisitAll(func(f *pflag.Flag) {
		if f.Name != ownAddress {
			cmd.Flags().AddFlag(f)
		}
	})
	shows(cmd, findsRecord)
	cmd.Flags().StringVar(&d.Address, ownAddress, "", "`ADDRESS` of the person")
	cmd.Flags().StringVar(&note, "note", "", "`TEXT` that says why, for those who look at it later")
	return cmd
}

// ownAddress is the flag that names whom it is about. A check has one of the same name.
const ownAddress = "address"

// deleteFromRecord has the daemon delete, or does it here where none runs.
func deleteFromRecord(cmd *cobra.Command, d deletion, note string) (int, error) {
	from := originOf(cmd)
	delete(from.Given, ownAddress)
	s, err := settingsOf(cmd, from)
	if err != nil {
		return 0, err
	}
	if err := s.daemon.record.validate(); err != nil {
		return 0, &exitError{exConfig, err}
	}
	spec := recordSpec(s.daemon)
	if spec == noRecord {
		return 0, errNoRecord(s.daemon)
	}
	body, err := json.Marshal(d)
	if err != nil {
		return 0, err
	}
	request := admin.Request{Operation: recordDelete, Why: note, Body: body}
	if address := *s.daemon.control; address != "" {
		client, err := dial(address)
		if err != nil {
			return 0, err
		}
		defer client.Close()
		answer, err := client.Do(cmd.Context(), request)
		if !errors.Is(err, admin.ErrNotRunning) {
			return readDeleted(answer, at(address, err))
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "note: no daemon answers at %s; this is done in %s itself\n", address, config.Masked(spec))
	}
	return deleteHere(cmd, s, spec, request)
}

func readDeleted(answer json.RawMessage, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	var done deleted
	if err := json.Unmarshal(answer, &done); err != nil {
		return 0, fmt.Errorf("malformed answer: %w", err)
	}
	return done.Entries, nil
}

// deleteHere opens the record itself. The row of the audit is written like any other.
func deleteHere(cmd *cobra.Command, s *settings, spec string, r admin.Request) (int, error) {
	if dir, ok := strings.CutPrefix(spec, "file:"); ok { // none is made here
		if _, err := os.Stat(dir); err != nil {
			return 0, fail(exUnavailable, "there is no record yet in %s: %v", spec, err)
		}
	}
	warn := func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), "note:", config.Masked(text)) }
	store, err := opening{s.daemon.record, warn, nil, false}.store(cmd.Context(), spec)
	if errors.Is(err, files.ErrHeld) {
		return 0, fail(exUnavailable, "the daemon keeps its record in %s: name its control socket (--control=unix:/PATH), or its --config", spec)
	}
	if err != nil {
		return 0, failedRecord(err)
	}
	defer store.Close()
	var audited error
	service := admin.Service{
		Backends: &policy.Backends{Clock: time.Now}, Offer: s.offer, May: admin.ByRole,
		Own: []policy.OperationGroup{{Name: "record", Operations: []policy.Operation{deleteOperation(store.Delete)}}},
		Audit: func(r admin.Record) {
			audited = store.Write(cmd.Context(), nil, []record.Change{changeOf(r)})
		},
	}
	n, err := readDeleted(service.Do(cmd.Context(), admin.Local(os.Getuid(), "record"), r))
	if err == nil && audited != nil {
		err = fmt.Errorf("%d entries are deleted, but the audit could not be written: %w", n, audited)
	}
	if errors.Is(err, record.ErrUnavailable) {
		err = &admin.UnavailableError{Text: err.Error()}
	}
	return n, err
}

// changeOf is the row of the audit that the record keeps.
func changeOf(r admin.Record) record.Change {
	return record.Change{
		Host: hostName(), Time: r.Time, Operation: r.Operation, Person: r.Person, Why: r.Why, Until: r.Until, Changes: r.Changes, Err: r.Err,
	}
}

// writeDeleted says what was done, and where else the address may stand.
func writeDeleted(out io.Writer, of string, n int) error {
	entries := "entries"
	if n == 1 {
		entries = "entry"
	}
	who := shellWord(of)
	_, err := fmt.Fprintf(out, `%d %s deleted from the record
What else may know the address, and is kept for its own time (docs/operate/privacy.md):
  the log                  journalctl -u mailweir | grep -iF -- %[3]s
  greylisting              mailweir greylist show | grep -iF -- %[3]s
  whom users wrote to      mailweir auto-allow list | grep -iF -- %[3]s
  permits and blocks       mailweir managed list | grep -iF -- %[3]s
  accounts switched off    mailweir account list | grep -iF -- %[3]s
  whether it exists        mailweir recipient forget %[3]s
  tables and definitions   your own files and directories
  the MTA's log and queue  grep -iF -- %[3]s /var/log/mail.log; mailq
`, n, entries, who)
	return err
}

// shellWord quotes a word for a shell, where it needs that.
func shellWord(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@.-_+") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
