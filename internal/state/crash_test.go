package state

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// crashDir tells the child of TestFileSurvivesKill where to write.
const crashDir = "MAILWEIR_TEST_STATE_DIR"

// TestKilledChild is no test: TestFileSurvivesKill runs it as a process of its own, which writes
// and tells until it is killed. "e N" is an entered row that was acknowledged; "c N P" says that N
// rows were counted, and that a crash could then lose P.
func TestKilledChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("is run by TestFileSurvivesKill")
	}
	f, err := OpenFile(dir, Options{})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	run := os.Getenv(crashDir + "_RUN")
	var line sync.Mutex
	tell := func(format string, args ...any) {
		line.Lock()
		defer line.Unlock()
		fmt.Printf(format, args...)
	}
	tell("open\n")
	go func() {
		for n := 1; ; n++ {
			if _, err := f.Do(t.Context(), Put(Key("entered", run, fmt.Sprint(n)), []byte("x"), 0).Entered()); err != nil {
				tell("error %v\n", err)
			}
			tell("e %d\n", n)
		}
	}()
	for n := 1; ; n++ {
		if _, err := f.Do(t.Context(), Put(Key("counted", run, fmt.Sprintf("%08d", n)), []byte("x"), 0)); err != nil {
			tell("error %v\n", err)
		}
		if n%100 == 0 {
			stats, err := f.Stats(t.Context())
			if err != nil {
				tell("error %v\n", err)
			}
			tell("c %d %d\n", n, stats.Pending)
			if n%5000 == 0 {
				_ = f.Checkpoint() // so that kills meet checkpoints too
			}
		}
	}
}

// TestFileSurvivesKill kills a writing process a hundred times, at moments all over what it does.
func TestFileSurvivesKill(t *testing.T) {
	kills := 100
	if testing.Short() {
		kills = 10
	}
	dir := t.TempDir()
	told := 0
	for run := range kills {
		entered, kept := killWriter(t, dir, run)
		told += entered
		f, err := OpenFile(dir, Options{})
		if err != nil {
			t.Fatalf("after kill %d: %v", run, err)
		}
		for n := 1; n <= entered; n++ {
			wantValue(t, f, Key("entered", fmt.Sprint(run), fmt.Sprint(n)), "x")
		}
		for n := 1; n <= kept; n++ {
			wantValue(t, f, Key("counted", fmt.Sprint(run), fmt.Sprintf("%08d", n)), "x")
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("after kill %d, of %d entered and %d counted rows", run, entered, kept)
		}
	}
	t.Logf("%d kills, %d entered rows", kills, told)
}

// killWriter lets a process write until it has told a number of things, kills it, and returns how
// many entered rows it was acknowledged, and how many counted rows a crash could not lose any more.
func killWriter(t *testing.T, dir string, run int) (entered, kept int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	cmd.Env = append(os.Environ(), crashDir+"="+dir, fmt.Sprintf("%s_RUN=%d", crashDir, run))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := 0
	enough := 1 + run*run%97 // the same moments each time, all over
	for scan := bufio.NewScanner(out); scan.Scan(); {
		line := scan.Text()
		var n, pending int
		switch {
		case strings.HasPrefix(line, "error"):
			t.Errorf("the writer says %s", line)
		case scanned(line, "e %d", &n):
			entered = max(entered, n)
		case scanned(line, "c %d %d", &n, &pending):
			kept = max(kept, n-pending)
		}
		if lines++; lines == enough {
			_ = cmd.Process.Kill() // the rest of what it told is read too
		}
	}
	_ = cmd.Wait() // killed
	return entered, kept
}

func scanned(line, format string, into ...any) bool {
	n, err := fmt.Sscanf(line, format, into...)
	return err == nil && n == len(into)
}
