package testbed

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a peer's process. Its output is kept in Log.
type Process struct {
	Log  *Log
	cmd  *exec.Cmd
	done chan struct{} // closed when process and output have ended
	err  error         // how the process ended; read it after done

	mayExit int  // a status with which it may end when it is told to, beside 0
	nag     bool // see [Process.nagged]
}

// start runs cmd as the leader of a process group of its own, which dies with
// the test, and stops it at the end of the test.
func start(tb TB, cmd *exec.Cmd) *Process {
	tb.Helper()
	p := &Process{Log: new(Log), cmd: cmd, done: make(chan struct{})}
	if err := p.start(); err != nil {
		tb.Fatalf("start %s: %v", cmd.Path, err)
	}
	tb.Cleanup(func() {
		if err := p.Stop(); err != nil {
			tb.Errorf("%s: %v\n%s", cmd.Path, err, p.Log)
		}
	})
	return p
}

func (p *Process) start() error {
	output, input, err := os.Pipe()
	if err != nil {
		return err
	}
	p.cmd.Stdout, p.cmd.Stderr = input, input
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	go func() {
		// Pdeathsig is about the thread: whoever ends his, as mta.As does, would end the process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		_ = input.Close()
		started <- err
		if err != nil {
			_ = output.Close()
			return
		}
		copied := make(chan struct{})
		go func() {
			_, _ = io.Copy(p.Log, output)
			close(copied)
		}()
		p.err = p.cmd.Wait()
		// Children that outlive their leader would hold the pipe open.
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
		<-copied
		_ = output.Close()
		close(p.done)
	}()
	return <-started
}

// outlast ends the process when the test itself has died without a clean-up: the
// kernel does so for most (Pdeathsig), but forgets it for one that has changed
// its effective user, as Postfix's master does.
func (p *Process) outlast(tb TB) {
	tb.Helper()
	guard := exec.Command("sh", "-c", `read -r _; kill -TERM "$1"`, "guard", strconv.Itoa(p.PID()))
	alive, err := guard.StdinPipe() // closed by the kernel when the test dies
	if err == nil {
		err = guard.Start()
	}
	if err != nil {
		tb.Fatalf("guard of %s: %v", p.cmd.Path, err)
	}
	tb.Cleanup(func() {
		_ = guard.Process.Kill() // before its pipe closes
		_ = guard.Wait()
		_ = alive.Close()
	})
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal to the process.
func (p *Process) Signal(sig syscall.Signal) error { return p.cmd.Process.Signal(sig) }

// Pause stops the process without ending it: it keeps its connections and answers nothing.
func (p *Process) Pause() { suspend(p.PID()) }

// Resume lets it go on.
func (p *Process) Resume() { _ = p.Signal(syscall.SIGCONT) }

// each calls do for the process and its children, which may be in groups of their own.
func (p *Process) each(do func(pid int)) {
	do(p.PID())
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", p.PID()))
	for _, child := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			do(pid)
		}
	}
}

// pauseAll and resumeAll are Pause and Resume of a process whose children do the work.
func (p *Process) pauseAll() { p.each(suspend) }

func (p *Process) resumeAll() {
	p.each(func(pid int) { _ = syscall.Kill(pid, syscall.SIGCONT) }) // it may be gone
}

// suspend stops a process and waits until each of its threads has stopped.
func suspend(pid int) {
	_ = syscall.Kill(pid, syscall.SIGSTOP) // it may be gone
	_ = Until(func() error {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		for _, name := range threads {
			stat, err := os.ReadFile(name)
			_, state, _ := strings.Cut(string(stat), ") ")
			if err == nil && !strings.HasPrefix(state, "T") && !strings.HasPrefix(state, "Z") {
				return errors.New("it is still running")
			}
		}
		return nil
	})
}

// Kill ends the process with SIGKILL, as a crash would, and waits for its end.
func (p *Process) Kill() {
	_ = p.Signal(syscall.SIGKILL) // it may be gone
	<-p.done
	p.err = nil // it did what it was told
}

// nagged is a process that looks for a signal and then waits for requests: one that comes between
// the two is noticed only with the next request, or the next signal. So it is told to end until it
// does.
func (p *Process) nagged() *Process {
	p.nag = true
	return p
}

// Stop sends SIGTERM to the process and waits for its end. It reports an exit
// that was neither clean nor by that signal, and a process that did not end
// within Patience. A second call returns what the first one did.
func (p *Process) Stop() error {
	select {
	case <-p.done:
	default:
		_ = p.Signal(syscall.SIGTERM)
	}
	if !p.ends() {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
		<-p.done
		return fmt.Errorf("did not end within %v of SIGTERM", Patience)
	}
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		status, ok := exit.Sys().(syscall.WaitStatus)
		if ok && status.Signaled() && status.Signal() == syscall.SIGTERM {
			return nil
		}
		if ok && status.Exited() && status.ExitStatus() == p.mayExit {
			return nil
		}
	}
	return p.err
}

// ends tells whether the process ends within Patience.
func (p *Process) ends() bool {
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	var again <-chan time.Time
	if p.nag {
		pace := time.NewTicker(500 * time.Millisecond)
		defer pace.Stop()
		again = pace.C
	}
	for {
		select {
		case <-p.done:
			return true
		case <-again:
			_ = p.Signal(syscall.SIGTERM)
		case <-deadline.C:
			return false
		}
	}
}
