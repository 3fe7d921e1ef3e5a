package main

import (
	"strings"

	"github.com/spf13/cobra"

	"mailweir/internal/passwords"
	"mailweir/internal/web/door"
)

func newConsole() *cobra.Command {
	return group("console", "Say who may use the console", newConsolePasswd())
}

func newConsolePasswd() *cobra.Command {
	var remove bool
	var role, of string
	cmd := &cobra.Command{
		Use:   "passwd LOGIN",
		Short: "Give a login of the console a new password, or another role",
		Long: `Asks for the password at the terminal, twice and without showing it, or takes the first line of standard input. A new login needs a
role: admin, helpdesk, auditor or user. --of restricts it to the mail of some domains, and says whose mail that of a user is; without it
a user's login is his address. The entry counts at once, and ends the sessions that the login had.`,
		Example: `  mailweir console passwd alice --role=admin --console-users=/etc/mailweir/console-users
  mailweir console passwd carol --role=helpdesk --of=example.org,example.net
  mailweir console passwd bob --role=user --of=bob@example.org
  mailweir console passwd alice --delete`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fail(exUsage, "console passwd wants one LOGIN; the password is not an argument, where others could see it")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var fields []string
			switch {
			case role != "":
				fields = []string{strings.ToLower(role)}
				if of != "" {
					fields = append(fields, of)
				}
				if login, ok := passwords.Login(args[0]); ok {
					if err := door.CheckFields(login, fields); err != nil {
						return &exitError{exUsage, err}
					}
				}
			case of != "":
				return fail(exUsage, "--of goes with --role")
			}
			return passwd(cmd, "console-users", func(d *daemonFlags) string { return *d.console.users }, args[0], remove, passwordFile{
				set: func(path, login string, password []byte) error {
					return passwords.SetChecked(path, login, password, fields, door.CheckFields)
				},
				delete: func(path, login string) error { return passwords.DeleteChecked(path, login, door.CheckFields) },
			})
		},
	}
	addSettings(cmd)
	shows(cmd, findsConfig, "console-users")
	cmd.Flags().BoolVar(&remove, "delete", false, "take the login out")
	cmd.Flags().StringVar(&role, "role", "", "role of the login: admin, helpdesk, auditor or user")
	cmd.Flags().StringVar(&of, "of", "", "domains, and addresses of a user, that the login is for, by commas")
	return cmd
}
