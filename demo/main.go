// Demo shows mailweir at work: it starts a private Postfix with mailweir
// attached, sends a handful of messages, and prints each SMTP dialog with what
// "mailweir explain" says about the same case. Then it stays up until interrupted.
//
//	go run ./demo [-once]
//
// Run it from the top of the source tree, as root. The Postfix of the machine is
// not touched; ports are free ones of loopback, files are in temporary
// directories, and all of it is gone at the end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"mailweir/test/testbed"
)

func main() {
	once := flag.Bool("once", false, "end when the messages are sent")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := havePostfix(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	h := testbed.NewProgram("demo")
	d, err := start(h)
	if err == nil {
		err = d.tell(ctx)
	}
	if err == nil && !*once && ctx.Err() == nil {
		d.invite()
		<-ctx.Done()
		fmt.Println("\nThe demo ends.")
	}
	h.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

const inContainers = `without root or Debian's apt, see the same in containers:
  cd contrib/container
  RELAY_DOMAINS=example.org NEXT_HOP='[192.0.2.25]' docker compose up --build
(docs/start/containers.md)`

// havePostfix installs Postfix where it is missing and can be installed.
func havePostfix() error {
	if _, err := os.Stat("demo/mailweir.conf"); err != nil {
		return errors.New("run it from the top of the source tree, as make demo does")
	}
	if os.Geteuid() != 0 {
		return errors.New("only root can start a Postfix (sudo make demo); " + inContainers)
	}
	if _, err := os.Stat("/usr/sbin/postfix"); err == nil {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New("there is no Postfix, and no apt-get to install it; " + inContainers)
	}
	fmt.Println("Postfix is missing; demo/install.sh installs it.")
	install := exec.Command("demo/install.sh")
	install.Stdout, install.Stderr = os.Stderr, os.Stderr
	return install.Run()
}

// demo is what runs.
type demo struct {
	program  string // mailweir's
	mta      *testbed.MTA
	mailweir *testbed.Mailweir
	inet     string   // address at which another Postfix may ask mailweir
	explain  []string // mailweir explain with the flags of the policy
	dir      string   // the messages, for mailweir explain
}

// start starts everything; h ends it.
func start(h testbed.TB) (*demo, error) {
	dns := testbed.StartNameServer(h, testbed.NameServerConfig{Records: records}).Address
	d := &demo{dir: testbed.TempDir(h), program: testbed.BuildMailweir(h), inet: testbed.FreeAddress(h)}
	d.mta = testbed.StartPostfix(h, testbed.MTAConfig{})
	policy := []string{"--config=demo/mailweir.conf", "--dns=" + dns}
	d.explain = append([]string{"explain"}, policy...)
	d.mailweir = testbed.StartMailweir(h, testbed.MailweirConfig{
		Binary: d.program,
		Socket: d.mta.Milter,
		Flags: append(policy, "--listen=unix:"+d.mta.Milter, "--listen=inet:"+d.inet, d.mta.Services(),
			"--log-format=text"),
	})
	fmt.Printf("Postfix listens at %s and asks mailweir at unix:%s.\n", d.mta.MX, d.mta.Milter)
	fmt.Printf("The policy is mailweir's own with demo/mailweir.conf:\n\n")
	return d, printFile("demo/mailweir.conf")
}

// printFile prints what a file sets, without comments.
func printFile(name string) error {
	text, err := os.ReadFile(name)
	for line := range strings.Lines(string(text)) {
		if line != "\n" && line[0] != '#' {
			fmt.Print("    ", line)
		}
	}
	return err
}

// invite says what can be tried while the demo is up.
func (d *demo) invite() {
	fmt.Printf(`
The demo stays up until you interrupt it (Ctrl-C). Speak to its Postfix, change a list, ask again:

    nc -C %s          XCLIENT ADDR=192.0.2.1 plays an untrusted client
    demo/header-from                        read again within ten seconds of a change
    demo/fortune.def                        read again when mailweir gets SIGHUP
    curl -s http://%s/metrics
    %s %s --client=192.0.2.1 --from=a@example.net --to=b@example.org FILE

Lines for the main.cf of a Postfix of yours, which would ask this mailweir:

    milter_protocol = 6
    smtpd_milters = { inet:%s, connect_timeout=30s, command_timeout=20s,
        content_timeout=70s, default_action=tempfail }

To keep it: "make run" listens at inet:127.0.0.1:8424; contrib/postfix has the lines, docs/start/postfix.md what they mean.
`, strings.Replace(d.mta.MX, ":", " ", 1), d.mailweir.HTTP, d.program, strings.Join(d.explain, " "), d.inet)
}
