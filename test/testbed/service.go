package testbed

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Service is a mailweir serve that is run as systemd runs one: its main process may hand over to
// another one. It ends with the test, without a word of whether it ended in order.
type Service struct {
	Log    *Log
	Socket string // path of its milter socket
	binary string

	notify *net.UnixConn
	group  int // of processes
	over   chan struct{}

	mu     sync.Mutex
	main   int      // process
	said   []string // messages to systemd
	spoken chan struct{}
}

// StartService starts a mailweir and waits until it is ready.
func StartService(tb TB, config MailweirConfig) *Service {
	tb.Helper()
	s := &Service{Log: new(Log), Socket: config.Socket, binary: config.Binary, over: make(chan struct{}), spoken: make(chan struct{})}
	name := filepath.Join(TempDir(tb), "notify")
	var err error
	if s.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"}); err != nil {
		tb.Fatalf("%v", err)
	}
	go s.listen()
	tb.Cleanup(func() {
		s.Kill()
		_ = s.notify.Close()
	})
	cmd := exec.Command(config.Binary, append([]string{"serve", "--listen=unix:" + s.Socket, "--log-format=json", "--dns=" + noResolver}, config.Flags...)...)
	cmd.Env = Environment("NOTIFY_SOCKET=" + name)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.run(cmd); err != nil {
		tb.Fatalf("%v", err)
	}
	if _, err := s.Await("READY=1"); err != nil {
		tb.Fatalf("%v\n%s", err, s.Log)
	}
	return s
}

// run starts the first process. The others write to the same log.
func (s *Service) run(cmd *exec.Cmd) error {
	output, input, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = input, input
	err = cmd.Start()
	_ = input.Close()
	if err != nil {
		return errors.Join(err, output.Close())
	}
	s.main, s.group = cmd.Process.Pid, cmd.Process.Pid
	go func() { _ = cmd.Wait() }() // the log tells
	go func() {
		defer close(s.over)
		_, _ = io.Copy(s.Log, output)
		_ = output.Close()
	}()
	return nil
}

// listen takes what the processes tell systemd, until the socket closes.
func (s *Service) listen() {
	for message := make([]byte, 4096); ; {
		n, err := s.notify.Read(message)
		if err != nil {
			return
		}
		text := string(message[:n])
		s.mu.Lock()
		s.said = append(s.said, text)
		if pid, is := strings.CutPrefix(text, "MAINPID="); is {
			s.main, _ = strconv.Atoi(pid)
		}
		close(s.spoken)
		s.spoken = make(chan struct{})
		s.mu.Unlock()
	}
}

// Main is the process that systemd takes for the service.
func (s *Service) Main() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.main
}

// Said is how many messages systemd has had.
func (s *Service) Said() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.said)
}

// Await waits for a message to systemd that begins so, among all that there have been.
func (s *Service) Await(begins string) (string, error) { return s.AwaitFrom(0, begins) }

// AwaitFrom is Await from a message on.
func (s *Service) AwaitFrom(from int, begins string) (string, error) {
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		for _, text := range s.said[from:] {
			if strings.HasPrefix(text, begins) {
				s.mu.Unlock()
				return text, nil
			}
		}
		spoken := s.spoken
		s.mu.Unlock()
		select {
		case <-spoken:
		case <-s.over:
			return "", errors.New("the service has ended")
		case <-deadline.C:
			return "", fmt.Errorf("systemd hears nothing that begins with %s within %v", begins, Patience)
		}
	}
}

// Others are the processes of the service besides one.
func (s *Service) Others(besides int) (pids []int) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range processes {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == besides {
			continue
		}
		if group, err := syscall.Getpgid(pid); err == nil && group == s.group {
			if program, err := os.Readlink(dir + "/exe"); err == nil && program == s.binary { // no corpse
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// Upgrade gives the command upgrade.
func (s *Service) Upgrade(control string) (string, error) { return s.UpgradeBy(s.binary, control) }

// UpgradeBy gives the command upgrade of another binary.
func (s *Service) UpgradeBy(binary, control string) (string, error) {
	cmd := exec.Command(binary, "upgrade", "--control=unix:"+control)
	cmd.Env = Environment()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Kill ends all processes at once, and waits until they are gone.
func (s *Service) Kill() {
	if s.group != 0 {
		_ = syscall.Kill(-s.group, syscall.SIGKILL)
		<-s.over
	}
}

// End has the main process end in order, and waits until all are gone.
func (s *Service) End() error {
	if err := syscall.Kill(s.Main(), syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.over:
		return nil
	case <-time.After(Patience):
		return fmt.Errorf("the service does not end within %v", Patience)
	}
}
