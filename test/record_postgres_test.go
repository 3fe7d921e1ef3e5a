package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// Two hosts behind Postfix write to one record in a PostgreSQL. Each tells what the other has
// decided. The database goes: mail is answered as before, each log says so once; it returns, and
// what was decided meanwhile is in the record.
func TestRecordOfSeveralHosts(t *testing.T) {
	t.Parallel()
	testbed.Require(t, "postfix")
	db := testbed.StartPostgres(t)
	dir := testbed.TempDir(t)
	if err := db.Do("CREATE USER mailweir PASSWORD 'secret'; CREATE DATABASE mailweir OWNER mailweir"); err != nil {
		t.Fatal(err)
	}
	passwords := filepath.Join(dir, "pgpass")
	if err := os.WriteFile(passwords, []byte("127.0.0.1:"+testbed.Port(db.Address)+":mailweir:mailweir:secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	record := "--record=postgres://mailweir@" + db.Address + "/mailweir?sslmode=verify-full&sslrootcert=" + db.Authority + "&passfile=" + passwords

	const gone, back = "the record is unavailable", "the record is available again"
	// The first one starts before the database is there.
	if err := db.Stop(); err != nil {
		t.Fatal(err)
	}
	binary := testbed.BuildMailweir(t)
	host := func(name string) (*testbed.MTA, *testbed.Mailweir, []string) {
		mta := testbed.StartMTA(t, "postfix", testbed.MTAConfig{})
		flags := []string{record, "--control=unix:" + filepath.Join(dir, name)}
		return mta, testbed.StartMailweir(t, testbed.MailweirConfig{
			Binary: binary, Socket: mta.Milter, Flags: append([]string{mta.Services(), "--sender-block-list=inline:{example.net=REJECT}"}, flags...),
		}), flags
	}
	command := func(flags []string, args ...string) (string, error) {
		out, err := exec.Command(binary, append(args, flags...)...).CombinedOutput()
		return string(out), err
	}
	one, first, firstFlags := host("one")
	early := refuse(t, one)
	await(t, first, 0, gone)
	if out, err := command(firstFlags, "why", early); err == nil {
		t.Errorf("why, while the database is away: %s", out)
	}
	db.Start()
	await(t, first, 0, back)
	other, second, secondFlags := host("two")
	late := refuse(t, other)
	tells := func(flags []string, id string) {
		t.Helper()
		if out, err := command(flags, "why", id); err != nil || !strings.Contains(out, "example.net") {
			t.Errorf("why %s: %v\n%s", id, err, out)
		}
	}
	tells(secondFlags, late)
	tells(firstFlags, late)
	tells(firstFlags, early)

	fromFirst, fromSecond := lines(first), lines(second)
	if err := db.Stop(); err != nil {
		t.Fatal(err)
	}
	var meanwhile []string
	for _, mta := range []*testbed.MTA{one, other} {
		meanwhile = append(meanwhile, refuse(t, mta))
	}
	await(t, first, fromFirst, gone)
	await(t, second, fromSecond, gone)
	db.Start()
	await(t, first, fromFirst, back)
	await(t, second, fromSecond, back)
	all := append(meanwhile, refuse(t, one), refuse(t, other))
	if out, err := command(secondFlags, "events"); err != nil { // which has this one's daemon write first
		t.Errorf("events: %v\n%s", err, out)
	}
	for _, id := range all {
		tells(firstFlags, id)
	}
	if out, err := command(firstFlags, "report", "--since=1d"); err != nil || !strings.Contains(out, "6 decisions refused") {
		t.Errorf("report: %v\n%s", err, out)
	}
	for _, daemon := range []*testbed.Mailweir{first, second} {
		log := daemon.Log.String()
		if strings.Contains(log, "secret") {
			t.Error("the log has the password")
		}
		if n := strings.Count(log, `"msg":"`+gone); daemon == first && n != 2 || daemon == second && n != 1 {
			t.Errorf("the log says %d times that it is gone:\n%s", n, log)
		}
	}
}

// await waits for a line of a daemon's log, from so many lines on.
func await(t *testing.T, daemon *testbed.Mailweir, from int, text string) {
	t.Helper()
	if _, said := daemon.Log.Wait(from, func(line string) bool { return strings.Contains(line, text) }); !said {
		t.Fatalf("the log does not say %q:\n%s", text, daemon.Log)
	}
}

// lines is how many lines a daemon's log has.
func lines(daemon *testbed.Mailweir) int { return len(daemon.Log.Lines()) }
