package doctor

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/mta/sendmail"
)

const aboutSendmail = "Sendmail"

// sendmailTimes are those that contrib/sendmail has.
const sendmailTimes = "T=C:30s;S:10s;R:20s;E:2m"

// endWait is how long Sendmail should wait for the whole end of a message.
const endWait = 2 * time.Minute

func sendmailExaminations() []Examination {
	return []Examination{
		{
			ID: "sendmail", About: aboutSendmail, Title: "Whether Sendmail can be looked at",
			Meaning: "sendmail.cf is what Sendmail reads. It is made of sendmail.mc: where that is newer, its changes are not in use. Without MILTER compiled in Sendmail asks no filter.",
			Remedy:  "`sendmailconfig` on Debian, `make -C /etc/mail` elsewhere; then restart Sendmail.",
			Examine: examineSendmail,
		},
		{
			ID: "sendmail-attached", About: aboutSendmail, Title: "Whether Sendmail asks mailweir",
			Meaning: "A filter is asked only where `InputMailFilters` names it. A later define of confINPUT_MAIL_FILTERS in sendmail.mc drops it: its X line stays, and nobody asks. A daemon with `InputMailFilters=` of its own does not follow the option.",
			Remedy:  "`mailweir init`; by hand INPUT_MAIL_FILTER behind all such defines.",
			Examine: examineSendmailAttached,
		},
		{
			ID: "sendmail-socket", About: aboutSendmail, Title: "Whether Sendmail reaches mailweir's socket",
			Meaning: "doctor connects to it and speaks the milter protocol. Sendmail trusts no socket below a directory that its group or others may write to, and does not start.",
			Remedy:  "A socket in /run/mailweir, or inet.",
			Examine: examineSendmailSocket,
		},
		{
			ID: "sendmail-filter", About: aboutSendmail, Title: "What becomes of mail while mailweir does not answer, and how long Sendmail waits",
			Meaning: "`F=T` has senders try again, `F=R` refuses good mail, nothing lets all mail in. mailweir answers a command within 8 s and the end of a message within 60 s; Sendmail's own 10 s for an answer are close to the first.",
			Remedy:  "`F=T, " + sendmailTimes + "`; without F while nothing is refused.",
			Examine: examineSendmailFilter,
		},
		{
			ID: "sendmail-limits", About: aboutSendmail, Title: "Sendmail's own limits",
			Meaning: "`MaxMessageSize` comes before `--size-max`, `MaxRecipientsPerMessage` before `--rcpt-limit-max`. `BadRcptThrottle` slows down a client after so many refused recipients.",
			Remedy:  "Raise them, or lower those of mailweir.",
			Examine: examineSendmailLimits,
		},
	}
}

// sendmailConfig makes the cf file again.
const sendmailConfig = "sendmailconfig"

func examineSendmail(f *Facts) (found []Finding) {
	s := f.Sendmail
	if s == nil {
		if f.NoSendmail != nil {
			found = append(found, unknown("", f.Again, f.NoSendmail))
		}
		return found
	}
	if s.MC != "" && s.Changed.After(s.Made) {
		found = append(found, remark("", sendmailConfig, "%s is newer than %s: its changes are not in use", s.MC, s.Path))
	}
	switch c := s.Compiled; {
	case c.Err != nil:
		found = append(found, unknown("", "echo | sendmail -d0.1 -bt", c.Err))
	case c.Value != nil && !c.Value.Has("MILTER"):
		found = append(found, fault("", "", "this Sendmail is compiled without MILTER and asks no filter"))
	case c.Value != nil:
		found = append(found, ok("", "version %s, %s", c.Value.Version, s.Path))
	}
	return found
}

// filter is the X line of mailweir.
func (f *Facts) filter() *sendmail.Filter {
	if f.Sendmail == nil {
		return nil
	}
	for i := range f.Sendmail.Filters {
		if at, isPlace := sendmailPlace(f.Sendmail.Filters[i].Socket); isPlace && f.listens(at) {
			return &f.Sendmail.Filters[i]
		}
	}
	return nil
}

// sendmailPlace reads unix:PATH, local:PATH and inet:PORT@HOST (inet6 likewise).
func sendmailPlace(socket string) (place, bool) {
	kind, rest, _ := strings.Cut(socket, ":")
	switch kind {
	case "unix", "local":
		return place{path: rest}, rest != ""
	case "inet", "inet6":
		port, host, found := strings.Cut(rest, "@")
		return place{host: strings.Trim(host, "[]"), port: strings.TrimSpace(port)}, found
	}
	return place{}, false
}

func examineSendmailAttached(f *Facts) (found []Finding) {
	if f.Sendmail == nil {
		return nil
	}
	filter := f.filter()
	if filter == nil {
		return []Finding{fault("", "mailweir init", "Sendmail has no filter for mailweir")}
	}
	if !slices.Contains(f.Sendmail.InputFilters(nil), filter.Name) {
		found = append(found, fault("", "mailweir init", "InputMailFilters lacks %s: the filter is there, and nobody asks it", filter.Name))
	}
	for i := range f.Sendmail.Daemons {
		d := &f.Sendmail.Daemons[i]
		own, overrides := d.Options["I"]
		switch {
		case !overrides, slices.Contains(f.Sendmail.InputFilters(d), filter.Name):
		case f.Config.Services[d.Name] == reinject, f.Config.Services[d.Port] == reinject, own == "" && loopback(d.Addr):
		default:
			found = append(found, remark(d.Name, "", "InputMailFilters=%s of this daemon lacks %s: mail that comes in there is not looked at", own, filter.Name))
		}
	}
	if len(found) == 0 {
		found = append(found, ok("", "asked as %s at %s", filter.Name, filter.Socket))
	}
	return found
}

func examineSendmailSocket(f *Facts) (found []Finding) {
	filter := f.filter()
	if filter == nil {
		return nil
	}
	if dir := f.Sendmail.Open[filter.Socket]; dir != "" {
		found = append(found, fault("", "mailweir init", "Sendmail does not trust %s: others than root may write to %s", filter.Socket, dir))
	}
	err, tried := f.Sendmail.Tried[filter.Socket]
	switch {
	case !tried:
		found = append(found, Finding{Level: Unknown, Command: f.Again, Why: "only root can connect as Sendmail does"})
	case err != nil:
		found = append(found, fault("", f.start(), "mailweir does not answer at %s: %v", filter.Socket, err))
	case len(found) == 0:
		found = append(found, ok("", "mailweir answers at %s", filter.Socket))
	}
	return found
}

func examineSendmailFilter(f *Facts) (found []Finding) {
	filter := f.filter()
	if filter == nil {
		return nil
	}
	if filter.Wrong != "" {
		found = append(found, fault("", "", "%s:%d: %s", f.Sendmail.Path, filter.Line, filter.Wrong))
	}
	switch {
	case filter.Flags == "R":
		found = append(found, fault("", "", "F=R: while mailweir does not answer, good mail is refused permanently; write F=T"))
	case filter.Flags != "T" && f.Config.Refuses:
		found = append(found, remark("", "", "without F=T, all mail is let in unseen while mailweir does not answer"))
	}
	for _, t := range []struct {
		name             string
		got, need, wants time.Duration
	}{
		{"R", filter.Read, commandDeadline, commandWait},
		{"E", filter.End, contentDeadline, endWait},
		{"C", filter.Connect, 0, connectWait},
	} {
		switch {
		case t.got >= t.wants:
		case t.got <= t.need:
			found = append(found, fault("", "", "T=%s:%s: mailweir may take %s; write %s", t.name, t.got, t.need, sendmailTimes))
		default:
			found = append(found, remark("", "", "T=%s:%s is short; write %s", t.name, t.got, sendmailTimes))
		}
	}
	if len(found) == 0 {
		found = append(found, ok("", "F=%s, and Sendmail waits longer than mailweir takes", filter.Flags))
	}
	return found
}

func examineSendmailLimits(f *Facts) (found []Finding) {
	if f.filter() == nil {
		return nil
	}
	number := func(option string) int64 {
		n, err := strconv.ParseInt(f.Sendmail.Options[option], 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	if n := number("MaxMessageSize"); n > 0 && f.Config.SizeMax > n {
		found = append(found, remark("", "", "MaxMessageSize is %d: --size-max=%d never has its turn", n, f.Config.SizeMax))
	}
	if n := number("MaxRecipientsPerMessage"); n > 0 && int64(f.Config.RcptLimit) >= n {
		found = append(found, remark("", "", "MaxRecipientsPerMessage is %d: Sendmail answers 452 before --rcpt-limit-max=%d does", n, f.Config.RcptLimit))
	}
	if n := number("BadRcptThrottle"); n > 0 && f.Config.RcptLimitRefuses {
		found = append(found, remark("", "", "BadRcptThrottle is %d: Sendmail waits a second for each recipient that is refused beyond it", n))
	}
	if len(found) == 0 {
		found = append(found, ok("", "none before those of mailweir"))
	}
	return found
}
