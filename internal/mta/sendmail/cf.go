package sendmail

import (
	"fmt"
	"strings"
	"time"

	"mailweir/internal/textfile"
)

// CF is what a sendmail.cf says (Sendmail Installation and Operation Guide, section 5).
type CF struct {
	// Options are by their long names, the last of each, as MaxMessageSize.
	Options map[string]string
	// Filters are the X lines, in their order. They are asked only where InputFilters, or those of
	// a daemon, name them.
	Filters []Filter
	// Daemons are those of DaemonPortOptions.
	Daemons []Daemon
	// Classes are the words of the C lines, as w: the host's own names. ClassFiles are the files of
	// the F lines, as they stand there.
	Classes, ClassFiles map[string][]string
	// Maps are the K lines: a name with its type and the rest.
	Maps map[string]string
}

// Filter is an X line.
type Filter struct {
	Name string
	// Socket is S=, as unix:/PATH or inet:PORT@HOST. Flags is F=: T, R, 4, or "" to let mail in.
	Socket, Flags string
	// Connect, Send, Read and End are the times of T=, Sendmail's own where it does not say
	// (milter/README): 5m, 10s, 10s, 5m.
	Connect, Send, Read, End time.Duration
	// Wrong says what cannot be read in the line, "" for nothing.
	Wrong string
	// Line is where it stands, counted from 1; 0 for none.
	Line int
}

// Daemon is one of DaemonPortOptions.
type Daemon struct {
	Name, Addr, Port string
	// Options are all its settings by their first letter, as A for Addr, and InputMailFilters as I.
	Options map[string]string
}

// ReadCF reads a file.
func ReadCF(name string) (*CF, error) {
	text, err := textfile.ReadText(name)
	if err != nil {
		return nil, err
	}
	return ParseCF(string(text)), nil
}

// ParseCF reads the text of a cf file. What is not known here is passed over: most of the file are
// rules.
func ParseCF(text string) *CF {
	cf := &CF{
		Options: make(map[string]string), Classes: make(map[string][]string),
		ClassFiles: make(map[string][]string), Maps: make(map[string]string),
	}
	for _, l := range logicalLines(text) {
		switch l.text[0] {
		case 'O':
			cf.option(l.text[1:])
		case 'X':
			f := ParseFilter(l.text[1:])
			f.Line = l.number
			cf.Filters = append(cf.Filters, f)
		case 'C':
			name, rest := class(l.text[1:])
			cf.Classes[name] = append(cf.Classes[name], strings.Fields(rest)...)
		case 'F':
			name, rest := class(l.text[1:])
			cf.ClassFiles[name] = append(cf.ClassFiles[name], strings.TrimSpace(rest))
		case 'K':
			name, rest, _ := strings.Cut(l.text[1:], " ")
			cf.Maps[name] = strings.TrimSpace(rest)
		}
	}
	return cf
}

type line struct {
	text   string
	number int
}

// logicalLines joins lines that begin with a blank to those before them, and drops comments.
func logicalLines(text string) (all []line) {
	number := 0
	for l := range strings.Lines(text) {
		number++
		l = strings.TrimRight(l, "\r\n")
		switch {
		case l == "" || l[0] == '#':
		case l[0] == ' ' || l[0] == '\t':
			if len(all) > 0 {
				all[len(all)-1].text += " " + strings.TrimSpace(l)
			}
		default:
			all = append(all, line{l, number})
		}
	}
	return all
}

// option reads "O Name=value"; options of one letter are of the time before Sendmail had milters.
func (cf *CF) option(text string) {
	if !strings.HasPrefix(text, " ") {
		return
	}
	name, value, _ := strings.Cut(strings.TrimSpace(text), "=")
	value = strings.TrimSpace(value)
	if strings.EqualFold(name, "DaemonPortOptions") {
		cf.Daemons = append(cf.Daemons, ParseDaemon(value))
	}
	cf.Options[canonical(name)] = value
}

// canonical are names as they are asked for here: Sendmail does not mind the case.
func canonical(name string) string {
	for _, known := range []string{"InputMailFilters", "MaxMessageSize", "MaxRecipientsPerMessage", "BadRcptThrottle", "DaemonPortOptions", "RunAsUser", "QueueDirectory", "Milter.LogLevel", "PrivacyOptions"} {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return name
}

// class parts the name of a class from what follows: one letter, or {a longer name}.
func class(text string) (name, rest string) {
	if text == "" {
		return "", ""
	}
	if end := strings.IndexByte(text, '}'); text[0] == '{' && end > 0 {
		return text[1:end], text[end+1:]
	}
	return text[:1], text[1:]
}

// InputFilters are the names of the filters that a daemon asks, in their order: its own, or those
// of the option. daemon nil is for the option alone.
func (cf *CF) InputFilters(daemon *Daemon) []string {
	if daemon != nil {
		if own, ok := daemon.Options["I"]; ok {
			return names(own, ";,")
		}
	}
	return names(cf.Options["InputMailFilters"], ",;")
}

func names(list, separators string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == '\t' || strings.ContainsRune(separators, r) })
}

// Filter is that of a name, nil where there is none. The last one counts.
func (cf *CF) Filter(name string) *Filter {
	for i := len(cf.Filters) - 1; i >= 0; i-- {
		if cf.Filters[i].Name == name {
			return &cf.Filters[i]
		}
	}
	return nil
}

// ParseDaemon reads Name=MTA, Family=inet, Addr=…: Sendmail goes by the first letter alone.
func ParseDaemon(text string) Daemon {
	d := Daemon{Options: make(map[string]string)}
	for setting := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(setting), "=")
		if key = strings.TrimSpace(key); key == "" {
			continue
		}
		d.Options[strings.ToUpper(key[:1])] = strings.TrimSpace(value)
	}
	d.Name, d.Addr, d.Port = d.Options["N"], d.Options["A"], d.Options["P"]
	return d
}

// ParseFilter reads NAME, S=…, F=…, T=… as an X line has it, and INPUT_MAIL_FILTER with a comma
// between its arguments.
func ParseFilter(text string) Filter {
	name, rest, _ := strings.Cut(text, ",")
	f := Filter{Name: strings.TrimSpace(name), Connect: 5 * time.Minute, Send: 10 * time.Second, Read: 10 * time.Second, End: 5 * time.Minute}
	for setting := range strings.SplitSeq(rest, ",") {
		key, value, found := strings.Cut(strings.TrimSpace(setting), "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case key == "":
		case !found:
			f.Wrong = fmt.Sprintf("%q is no setting", setting)
		case key[0] == 'S':
			f.Socket = value
		case key[0] == 'F':
			f.Flags = value
		case key[0] == 'T':
			f.times(value)
		default:
			f.Wrong = fmt.Sprintf("%q is neither S=, F= nor T=", strings.TrimSpace(setting))
		}
	}
	return f
}

// times reads C:10s;S:10s;R:20s;E:2m.
func (f *Filter) times(text string) {
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		kind, value, _ := strings.Cut(part, ":")
		d, err := time.ParseDuration(strings.TrimSpace(value))
		if err != nil || d < 0 {
			f.Wrong = fmt.Sprintf("T=: %q is no time such as R:20s", part)
			continue
		}
		switch strings.TrimSpace(kind) {
		case "C":
			f.Connect = d
		case "S":
			f.Send = d
		case "R":
			f.Read = d
		case "E":
			f.End = d
		default:
			f.Wrong = fmt.Sprintf("T=: %q is none of C, S, R and E", part)
		}
	}
}
