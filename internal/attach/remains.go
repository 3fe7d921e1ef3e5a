package attach

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"mailweir/internal/mta/postfix"
	"mailweir/internal/mta/sendmail"
)

// StillAskedError is the error of an undo after which a mail server still asks mailweir, by lines
// that init has not written. Were mailweir taken away now, mail would wait.
type StillAskedError struct {
	// Commands take those lines out.
	Commands []string
}

func (e *StillAskedError) Error() string {
	return "the mail server still asks mailweir, by lines that init has not written; before mailweir is stopped or removed:\n  " +
		strings.Join(e.Commands, "\n  ")
}

// stillAsked looks at every mail server of the host, and at the one that mailweir was attached to.
// One that cannot be read is passed over: it need not be there.
func (h *Host) stillAsked(ctx context.Context, was *record) error {
	dirs := []string{""}
	if instances, err := postfix.Instances(ctx, h.Run); err == nil && len(instances) > 1 {
		dirs = nil
		for _, i := range instances {
			dirs = append(dirs, i.Config)
		}
	}
	if was != nil && was.Server == "postfix" && !slices.Contains(dirs, was.Config) {
		dirs = append(dirs, was.Config)
	}
	var commands []string
	seen := make(map[string]bool)
	for _, dir := range dirs {
		found, err := postfix.Read(ctx, h.Run, dir)
		if err != nil || seen[found.Config] {
			continue
		}
		seen[found.Config] = true
		commands = append(commands, (&postfixServer{found: found, listen: h.Listen}).remains()...)
	}
	commands = append(commands, h.remainsOfSendmail(sendmailDir)...)
	if len(commands) == 0 {
		return nil
	}
	return &StillAskedError{Commands: commands}
}

// remains are commands that take mailweir out of main.cf and master.cf.
func (s *postfixServer) remains() (commands []string) {
	d := &postfixDraft{server: s}
	for _, name := range []string{milters, otherMilters} {
		words := postfix.SplitList(s.found.Set[name])
		if rest := slices.DeleteFunc(slices.Clone(words), d.mailweir); len(rest) < len(words) {
			commands = append(commands, fmt.Sprintf("postconf -c %s -e '%s = %s'", s.found.Config, name, strings.Join(rest, ", ")))
		}
	}
	for _, v := range s.found.SMTPServers() {
		if slices.ContainsFunc(postfix.SplitList(v.Overrides[milters]), d.mailweir) {
			commands = append(commands, fmt.Sprintf("(take mailweir out of -o %s of %s in %s)", milters, v.Key(), filepath.Join(s.found.Config, "master.cf")))
		}
	}
	if len(commands) > 0 {
		commands = append(commands, fmt.Sprintf("postfix -c %s reload", s.found.Config))
	}
	return commands
}

// remainsOfSendmail says what takes mailweir out of a Sendmail's files.
func (h *Host) remainsOfSendmail(dir string) []string {
	cf, err := sendmail.ReadCF(filepath.Join(dir, "sendmail.cf"))
	if err != nil {
		return nil
	}
	for _, f := range cf.Filters {
		if strings.HasSuffix(f.Socket, "/mailweir.sock") || slices.ContainsFunc(h.Listen, func(l string) bool { return sendmailPlace(l).Address == f.Socket }) {
			return []string{fmt.Sprintf("(take the filter %s out of %s, make sendmail.cf of it, and restart sendmail)", f.Name, filepath.Join(dir, "sendmail.mc"))}
		}
	}
	return nil
}
