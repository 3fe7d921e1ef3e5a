package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mailweir/internal/mta/postfix"
)

const aboutPostfix = "Postfix"

// What mailweir needs at most for an answer (docs/start/postfix.md), and what Postfix should wait:
// a little longer, so that mailweir is who gives up first.
const (
	commandDeadline = 8 * time.Second
	contentDeadline = 60 * time.Second
	commandWait     = 20 * time.Second
	contentWait     = 70 * time.Second
	connectWait     = 30 * time.Second
)

func postfixExaminations() []Examination {
	return []Examination{
		{
			ID: "postfix", About: aboutPostfix, Title: "Whether Postfix can be looked at, and what it complains of",
			Meaning: "Postfix's own `postconf` prints how it is set up. Where it fails, Postfix does not run either; what it warns of is most often a misspelt parameter, which has no effect.",
			Remedy:  "Mend what `postconf -n` complains of.",
			Examine: examinePostfix,
		},
		{
			ID: "attached", About: aboutPostfix, Title: "Whether Postfix asks mailweir",
			Meaning: "No service of Postfix has mailweir among its `smtpd_milters`, so no mail is looked at.",
			Remedy:  "`mailweir init` proposes the lines and writes them.",
			Examine: examineAttached,
		},
		{
			ID: "milter-list", About: aboutPostfix, Title: "Whether smtpd_milters can be read",
			Meaning: "With a mistake in `smtpd_milters` every smtpd ends at its start, and no mail comes in. `postfix check` does not notice.",
			Remedy:  "Mend the list, then `postfix stop; postfix start`: a reload alone takes a minute to heal.",
			Examine: examineMilterList,
		},
		{
			ID: "service-milters", About: aboutPostfix, Title: "Services that have milters of their own",
			Meaning: "A service with `-o smtpd_milters=…` in master.cf does not follow main.cf. Where mailweir is not in that list, mail that comes in there is not looked at.",
			Remedy:  "Take the option out, or put mailweir in front of its list.",
			Examine: examineServiceMilters,
		},
		{
			ID: "socket", About: aboutPostfix, Title: "Whether smtpd reaches mailweir's socket",
			Meaning: "doctor connects as the user that smtpd runs as, to the path that smtpd sees from its chroot, and speaks the milter protocol. Where that fails, `default_action` decides about all mail. A mailweir that was stopped while systemd still listens for it is started by that, as it is by any mail.",
			Remedy:  "`mailweir init` puts the socket where smtpd sees it. By hand: a path without leading slash is right with and without a chroot, and the socket needs Postfix's group.",
			Examine: examineSocket,
		},
		{
			ID: "default-action", About: aboutPostfix, Title: "What becomes of mail while mailweir does not answer",
			Meaning: "`tempfail` has senders try again, `accept` lets all mail in unseen, `reject` refuses good mail permanently, `quarantine` holds it in the queue.",
			Remedy:  "`tempfail` once mailweir refuses mail, `accept` before; `mailweir enforce` changes it by itself where `mailweir init` has attached it.",
			Examine: examineDefaultAction,
		},
		{
			ID: "protocol", About: aboutPostfix, Title: "The version of the milter protocol",
			Meaning: "Below 6 Postfix tells mailweir neither what it refuses by itself nor where a message begins.",
			Remedy:  "`milter_protocol = 6`, which is the default.",
			Examine: examineProtocol,
		},
		{
			ID: "timeouts", About: aboutPostfix, Title: "How long Postfix waits for mailweir",
			Meaning: "mailweir answers a command within 8 s and the end of a message within 60 s, whatever it asks. If Postfix gives up earlier, `default_action` decides, and mailweir is not asked again in that session. A start of mailweir may take longer than a short `connect_timeout`.",
			Remedy:  "20 s, 70 s and 30 s, or Postfix's own defaults.",
			Examine: examineTimeouts,
		},
	}
}

func examinePostfix(f *Facts) (found []Finding) {
	var ended *exec.ExitError
	switch {
	case errors.As(f.NoPostfix, &ended) && !strings.Contains(f.NoPostfix.Error(), "ermission denied"):
		return []Finding{fault("", "postconf -n", "Postfix does not take its own configuration: %v", f.NoPostfix)}
	case f.NoPostfix != nil:
		return []Finding{unknown("", f.Again, f.NoPostfix)}
	}
	for _, p := range f.Postfix {
		for _, warning := range p.Warnings {
			_, text, _ := strings.Cut(warning, "warning: ")
			if text == "" {
				text = warning
			}
			found = append(found, remark(p.Name, p.program("postconf")+" -n", "%s", text))
		}
		if len(p.Warnings) == 0 {
			found = append(found, ok(p.Name, "version %s, %s", p.Parameters["mail_version"], p.Config))
		}
	}
	return found
}

func examineAttached(f *Facts) []Finding {
	if len(f.Postfix) == 0 {
		return nil
	}
	var services []string
	for _, a := range f.askers() {
		services = append(services, a.subject())
	}
	if len(services) == 0 {
		return []Finding{fault("", "mailweir init", "no service of Postfix asks mailweir")}
	}
	return []Finding{ok("", "asked by %s", strings.Join(services, ", "))}
}

func examineMilterList(f *Facts) (found []Finding) {
	for _, p := range f.Postfix {
		for _, s := range p.SMTPServers() {
			milters, err := postfix.ParseMilters(p.Value(s, "smtpd_milters"))
			for _, m := range milters {
				if err == nil {
					_, err = postfix.ParseEndpoint(m.Address)
				}
				if err == nil {
					err = p.strange(m)
				}
			}
			if err != nil {
				found = append(found, fault(p.label(s), p.program("postconf")+" smtpd_milters", "%v: smtpd ends at its start, and no mail comes in", err))
			}
		}
	}
	return found
}

// strange reports an option of a milter that Postfix does not know (postconf(5), smtpd_milters).
// What versions to come may know is not known here.
func (p *Postfix) strange(m postfix.Milter) error {
	if !p.known() {
		return nil
	}
	for _, o := range m.Options {
		if !has(strings.Fields("command_timeout connect_timeout content_timeout default_action protocol"), o.Name) {
			return fmt.Errorf("%q: there is no option %q", m.Text, o.Name)
		}
	}
	return nil
}

// known reports whether it is a version up to 3.10.
func (p *Postfix) known() bool {
	major, rest, _ := strings.Cut(p.Parameters["mail_version"], ".")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	return major < "3" || major == "3" && err == nil && n <= 10
}

func examineServiceMilters(f *Facts) (found []Finding) {
	if len(f.askers()) == 0 {
		return nil
	}
	for _, p := range f.Postfix {
		general, attached := f.ours(p, nil, "smtpd_milters")
		for _, s := range p.SMTPServers() {
			own, overrides := s.Overrides["smtpd_milters"]
			_, asks := f.ours(p, s, "smtpd_milters")
			switch {
			case p.overridden(s, "no_milters"), inside(s), f.kind(p, s) == reinject:
			case asks || !attached:
			case !overrides:
				// main.cf's list names what the service overrides.
				found = append(found, fault(p.label(s), p.setOwn(s, "smtpd_milters", join(general.Text, p.Value(s, "smtpd_milters"))), "mail that comes in here is not looked at: a parameter that smtpd_milters names is overridden"))
			case own == "":
				found = append(found, remark(p.label(s), p.follow(s, "smtpd_milters"), "-o smtpd_milters= is empty: mail that comes in here is not looked at"))
			default:
				found = append(found, fault(p.label(s), p.setOwn(s, "smtpd_milters", join(general.Text, own)), "-o smtpd_milters= lacks mailweir: mail that comes in here is not looked at"))
			}
		}
	}
	return found
}

// join puts an entry in front of a list.
func join(entry, list string) string {
	if strings.TrimSpace(list) == "" {
		return entry
	}
	return entry + ", " + list
}

func examineSocket(f *Facts) (found []Finding) {
	for _, a := range f.askers() {
		at, err := a.place(a.service, a.entry)
		if err != nil {
			continue // the list has an examination of its own
		}
		err, tried := a.Tried[at.String()]
		switch {
		case !tried:
			found = append(found, Finding{Level: Unknown, Subject: a.subject(), Command: f.Again, Why: "only root can connect as " + a.User})
		case err == nil:
			found = append(found, ok(a.subject(), "%s answers %s at %s", "mailweir", a.User, at))
		default:
			found = append(found, a.unreached(at, err, f))
		}
	}
	return found
}

// unreached says why smtpd does not reach the socket.
func (a asking) unreached(at place, err error, f *Facts) Finding {
	why := "smtpd does not reach mailweir at " + at.String()
	chrooted := a.service.Chroot && at.path != ""
	switch {
	case errors.Is(err, fs.ErrNotExist) && chrooted:
		return fault(a.subject(), "mailweir init", "%s: there is none; it is chrooted and sees nothing outside of %s", why, a.Parameters["queue_directory"])
	case errors.Is(err, fs.ErrNotExist):
		return fault(a.subject(), f.start(), "%s: there is no such socket", why)
	case errors.Is(err, fs.ErrPermission):
		return fault(a.subject(), "mailweir init", "%s: the user %s may not; the socket needs its group, and the directories above must let it pass", why, a.User)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault(a.subject(), f.start(), "%s: nobody listens there", why)
	}
	return fault(a.subject(), f.start(), "%s: %v", why, err)
}

// start is the command by which mailweir is started again.
func (f *Facts) start() string {
	if f.Unit.Value != nil {
		return "systemctl restart " + f.Unit.Value.Name
	}
	return "mailweir serve"
}

func examineDefaultAction(f *Facts) (found []Finding) {
	for _, a := range f.askers() {
		switch action := strings.ToLower(strings.TrimSpace(a.option("default_action"))); action {
		case "tempfail":
			found = append(found, ok(a.subject(), "tempfail: senders try again"))
		case "accept":
			if !f.Config.Refuses {
				found = append(found, ok(a.subject(), "accept, while nothing is refused"))
				continue
			}
			found = append(found, remark(a.subject(), a.setOption("default_action", "tempfail"), "accept: while mailweir does not answer, all mail is let in unseen"))
		case "quarantine":
			found = append(found, remark(a.subject(), a.setOption("default_action", "tempfail"), "quarantine: while mailweir does not answer, all mail is accepted and held in the queue until somebody releases it"))
		case "shutdown":
			found = append(found, remark(a.subject(), a.setOption("default_action", "tempfail"), "shutdown: while mailweir does not answer, clients are hung up on"))
		case "reject":
			found = append(found, fault(a.subject(), a.setOption("default_action", "tempfail"), "reject: while mailweir does not answer, good mail is refused permanently"))
		default:
			found = append(found, fault(a.subject(), a.setOption("default_action", "tempfail"), "%q is nothing that Postfix knows", action))
		}
	}
	return found
}

func examineProtocol(f *Facts) (found []Finding) {
	for _, a := range f.askers() {
		if version := strings.TrimSpace(a.option("protocol")); version < "6" && len(version) == 1 {
			found = append(found, fault(a.subject(), a.setOption("protocol", "6"), "milter_protocol is %s: Postfix does not tell what it refuses by itself", version))
			continue
		}
		found = append(found, ok(a.subject(), "version 6"))
	}
	return found
}

func examineTimeouts(f *Facts) (found []Finding) {
	for _, a := range f.askers() {
		if wrong := a.timeouts(); len(wrong) > 0 {
			found = append(found, wrong...)
			continue
		}
		found = append(found, ok(a.subject(), "Postfix waits longer than mailweir takes"))
	}
	return found
}

func (a asking) timeouts() (found []Finding) {
	for _, t := range []struct {
		name        string
		need, wants time.Duration
		why         string
	}{
		{"command_timeout", commandDeadline, commandWait, "mailweir may take %s for an answer"},
		{"content_timeout", contentDeadline, contentWait, "mailweir may take %s at the end of a message"},
		{"connect_timeout", 0, connectWait, "a start of mailweir may take longer"},
	} {
		value := a.option(t.name)
		got, err := postfix.Duration(value, time.Second)
		if err != nil || got >= t.wants {
			continue // what is no time Postfix itself refuses
		}
		why := strings.ReplaceAll(t.why, "%s", t.need.String())
		command := a.setOption(t.name, seconds(t.wants))
		if got <= t.need {
			found = append(found, fault(a.subject(), command, "%s is %s, and %s", t.name, value, why))
			continue
		}
		found = append(found, remark(a.subject(), command, "%s is %s, less than %s, and %s", t.name, value, seconds(t.wants), why))
	}
	return found
}

// seconds is a time as Postfix has it.
func seconds(d time.Duration) string { return strconv.Itoa(int(d/time.Second)) + "s" }
