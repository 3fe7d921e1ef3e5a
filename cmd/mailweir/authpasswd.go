package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mailweir/internal/config"
	"mailweir/internal/passwords"
)

func newAuthPasswd() *cobra.Command {
	var remove bool
	cmd := &cobra.Command{
		Use:   "passwd LOGIN",
		Short: "Give a login a new password in the file of --auth-passwords",
		Long: `Asks for the password at the terminal, twice and without showing it, or takes the first line of standard input. The entry is
written as {ARGON2ID} and counts with the next login.`,
		Example: `  mailweir auth passwd alice@example.org --auth-passwords=/etc/mailweir-auth/passwd
  pwgen -s 20 1 | tee alice.txt | mailweir auth passwd alice@example.org
  mailweir auth passwd alice@example.org --delete`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fail(exUsage, "auth passwd wants one LOGIN; the password is not an argument, where others could see it")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := hideMemory(); err != nil {
				return fail(exSoftware, "%v", err)
			}
			return passwd(cmd, "auth-passwords", func(d *daemonFlags) string { return *d.auth.passwords }, args[0], remove, authFile)
		},
	}
	addSettings(cmd)
	shows(cmd, findsConfig, "auth-passwords")
	cmd.Flags().BoolVar(&remove, "delete", false, "take the login out")
	return cmd
}

// passwordFile is how a kind of password file is changed.
type passwordFile struct {
	set    func(path, login string, password []byte) error
	delete func(path, login string) error
}

var authFile = passwordFile{passwords.Set, passwords.Delete}

// passwd changes one entry of the password file that a flag names.
func passwd(cmd *cobra.Command, flag string, named func(*daemonFlags) string, login string, remove bool, file passwordFile) error {
	s := resolveAll(originOf(cmd))
	if err := s.need(func(needed string) bool {
		return needed == flag || needed == config.FileFlag || needed == config.DirFlag
	}); err != nil {
		return &exitError{exConfig, err}
	}
	path := named(s.daemon)
	if path == "" {
		return fail(exUsage, "name the file (--%s=FILE), or the configuration that does (--config)", flag)
	}
	name, ok := passwords.Login(login)
	if !ok {
		return fail(exUsage, "this is no login: it has a blank, a control or a colon in it, or is empty or too long")
	}
	if remove {
		if err := file.delete(path, name); err != nil {
			return passwdError(err)
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is deleted from %s\n", name, path)
		return err
	}
	password, err := readPassword(cmd.ErrOrStderr(), name)
	if err != nil {
		return fail(exDataErr, "%v", err)
	}
	defer clear(password)
	if err := file.set(path, name, password); err != nil {
		return passwdError(err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s has a new password in %s\n", name, path)
	return err
}

func passwdError(err error) error {
	switch {
	case errors.Is(err, passwords.ErrNoEntry):
		return &exitError{exUsage, err}
	case errors.Is(err, os.ErrPermission):
		return &exitError{exNoPerm, err}
	}
	return &exitError{exConfig, err}
}

// readPassword reads a password: at a terminal twice, without an echo, else the first line.
func readPassword(prompts io.Writer, login string) ([]byte, error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		return firstLine(os.Stdin)
	}
	defer echoAgain(in)()
	ask := func(prompt string) ([]byte, error) {
		fmt.Fprint(prompts, prompt)
		password, err := term.ReadPassword(in)
		fmt.Fprintln(prompts)
		return password, err
	}
	password, err := ask("New password of " + login + ": ")
	if err == nil {
		err = passwords.CheckPassword(password)
	}
	if err != nil {
		return nil, err
	}
	again, err := ask("The same again: ")
	defer clear(again)
	if err == nil && !bytes.Equal(password, again) {
		err = errors.New("the two are not the same; nothing is changed")
	}
	return password, err
}

// echoAgain has a terminal show what is typed again, also when the command is interrupted.
func echoAgain(terminal int) (done func()) {
	before, err := term.GetState(terminal)
	if err != nil {
		return func() {}
	}
	signals, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case <-signals:
			_ = term.Restore(terminal, before)
			os.Exit(exUnavailable)
		case <-ended:
		}
	}()
	return func() {
		signal.Stop(signals)
		close(ended)
	}
}

// firstLine reads the first line of a stream, without its end.
func firstLine(in io.Reader) ([]byte, error) {
	const most = 4096
	reader := bufio.NewReaderSize(in, most)
	line, err := reader.ReadSlice('\n')
	defer clear(line)
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, errors.New("the password is too long")
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	}
	password := bytes.Clone(bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")))
	return password, passwords.CheckPassword(password)
}
