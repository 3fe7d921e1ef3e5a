package access

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/address"
	"mailweir/internal/importing"
	"mailweir/internal/table"
)

// These tests write maps at random, import them, and hold what mailweir's lists say of clients and
// senders against what the real postmap says of the keys that Postfix looks up, in its order
// (check_namadr_access and check_mail_access in smtpd_check.c).

// tb is a test, or one try of a property.
type tb interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
}

// subject is a client or a sender.
type subject struct {
	name   string // of the client
	ip     netip.Addr
	sender string // "<>" for none; "" for a client
}

func (s subject) String() string {
	if s.sender != "" {
		return s.sender
	}
	return fmt.Sprintf("%s[%s]", s.name, s.ip)
}

// keys are those that Postfix looks up in tables of keys, and in all others.
func (s subject) keys(parents bool) (plain, whole []string) {
	switch s.sender {
	case "<>":
		return []string{"<>"}, []string{"<>"}
	case "":
		plain = append([]string{s.name}, above(s.name, parents)...)
		ip, delimiter := s.ip.String(), "."
		if s.ip.Is6() {
			delimiter = ":"
		}
		for ip != "" {
			plain = append(plain, ip)
			ip = ip[:max(strings.LastIndex(ip, delimiter), 0)]
		}
		return plain, []string{s.name, s.ip.String()}
	}
	local, domain, _ := cutLast(s.sender, "@")
	base, _, extended := strings.Cut(local, "+")
	plain = append(plain, s.sender)
	if extended {
		plain = append(plain, base+"@"+domain)
	}
	plain = append(plain, domain)
	plain = append(plain, above(domain, parents)...)
	plain = append(plain, local+"@")
	if extended {
		plain = append(plain, base+"@")
	}
	return plain, []string{s.sender}
}

// above are the names above one, as Postfix looks them up.
func above(name string, parents bool) (keys []string) {
	for {
		i := strings.IndexByte(name[1:], '.')
		if i < 0 {
			return keys
		}
		if name = name[i+1:]; parents {
			name = name[1:]
		}
		keys = append(keys, name)
	}
}

// said is what Postfix does: refuse, later, ok or none, and the line that says so.
type said struct {
	verb string
	line int
	file string
}

// ask asks the real postmap for keys of one map.
func (h *trial) ask(t tb, spec string, keys []string) map[string]string {
	cmd := exec.Command(h.postmap, "-c", h.dir, "-q", "-", spec)
	cmd.Stdin = strings.NewReader(strings.Join(keys, "\n") + "\n")
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v: %v", cmd, err)
	}
	answers := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		answers[key] = value
	}
	return answers
}

// says is what Postfix makes of maps that stand one behind the other (check_table_result).
func (h *trial) says(answers []map[string]string, s subject) said {
	plain, whole := s.keys(h.parents)
	for i, known := range answers {
		keys := whole
		if strings.HasPrefix(h.specs[i], "texthash:") {
			keys = plain
		}
		for _, key := range keys {
			value, found := known[key]
			if !found {
				continue
			}
			one := said{file: h.files[i]}
			_, _ = fmt.Sscanf(value[strings.LastIndexByte(value, ' ')+1:], "n%d", &one.line)
			switch word, _, _ := strings.Cut(value, " "); word {
			case "REJECT", "550":
				one.verb = "refuse"
			case "DEFER", "450", "DEFER_IF_PERMIT":
				one.verb = "later"
			case "OK", "RELAY":
				one.verb = "ok"
			case "DISCARD":
				one.verb = "discard"
			}
			if one.verb != "" {
				return one
			}
			break
		}
	}
	return said{verb: "none"}
}

// open opens the lists of a flag, as mailweir does.
func (h *trial) open(t tb, r *importing.Result, dir, flag string, options table.ListOptions) *table.List {
	var specs []string
	for _, f := range r.Flags {
		if f.Name == flag {
			specs = append(specs, strings.ReplaceAll(f.Value, h.in.Dir, dir))
		}
	}
	for _, f := range r.Files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(f.Text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := table.NewLoader(nil).List(options, specs...)
	if err != nil {
		t.Fatalf("mailweir refuses what import has written: %v", err)
	}
	return list
}

// look is what mailweir's list says.
func look(t tb, list *table.List, s subject) table.Match {
	var m table.Match
	var err error
	switch {
	case s.sender != "":
		m, err = list.Address(t.Context(), address.Parse(strings.Trim(s.sender, "<>")))
	case s.name == "unknown":
		m, err = list.Client(t.Context(), s.ip)
	default:
		m, err = list.Client(t.Context(), s.ip, s.name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// String tells trials apart.
func (h *trial) String() string { return fmt.Sprint(h.kind.word, h.specs, h.parents) }

// trial is a Postfix with maps that are written again and again.
type trial struct {
	*host
	kind    *kind
	postmap string
	parents bool
	files   []string
	specs   []string
}

// fateOf is what import said of a line.
func fateOf(r *importing.Result, file string, line int) importing.Fate {
	for _, i := range r.Items {
		if i.File == file && i.Line == line {
			return i.Fate
		}
	}
	return ""
}

// holds holds both against each other. What mailweir refuses or permits, Postfix has to refuse or
// permit; the other way round it may be less where import says so.
func (h *trial) holds(t tb, subjects []subject) {
	r, err := Source().Read(t.Context(), h.in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.MkdirTemp(h.dir, "out")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(out)
	block := h.open(t, r, out, h.kind.block, h.kind.blockUse)
	permit := h.open(t, r, out, h.kind.permit, h.kind.permitUse)
	var keys []string
	for _, s := range subjects {
		plain, whole := s.keys(h.parents)
		keys = append(append(keys, plain...), whole...)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	var answers []map[string]string
	for _, spec := range h.specs {
		answers = append(answers, h.ask(t, spec, keys))
	}
	for _, s := range subjects {
		was := h.says(answers, s)
		fate := fateOf(r, was.file, was.line)
		m := look(t, block, s)
		is := map[table.Verb]string{table.Reject: "refuse", table.Defer: "later"}[m.Action.Verb]
		refused := was.verb == "refuse" || was.verb == "later"
		less := fate == importing.Left || m.Found() && (strings.Contains(h.told(r), "as an exception, also from") || strings.Contains(h.told(r), "cannot be carried over"))
		softer := is == "later" && was.verb == "refuse" && fate == importing.Left // by a line behind
		if is != was.verb && !softer && (is != "" || refused && !less) {
			t.Fatalf("%s: Postfix: %+v (%s), mailweir: %q by %s:%d\n%s", s, was, fate, is, m.Table, m.Line, h.told(r))
		}
		m = look(t, permit, s)
		less = fate == importing.Left || len(h.specs) > 1 || s.name == unknown && fate == importing.Changed || strings.Contains(h.told(r), "cannot be carried over")
		if permits := m.Action.Verb == table.OK; permits != (was.verb == "ok") && (permits && !refused && was.verb != "discard" || !permits && !less) {
			t.Fatalf("%s: Postfix: %+v (%s), mailweir permits: %t by %s:%d\n%s", s, was, fate, permits, m.Table, m.Line, h.told(r))
		}
	}
}

// newTrial has maps of the types in one list, with something behind them that an OK spares.
func newTrial(t testing.TB, parents bool, restriction string, types ...string) *trial {
	t.Helper()
	h := &trial{parents: parents, kind: &kinds[0]}
	if restriction == "check_sender_access" {
		h.kind = &kinds[1]
	}
	main := "compatibility_level = 3.6\nmynetworks = 127.0.0.0/8\nrecipient_delimiter = +\nsmtpd_recipient_restrictions = "
	for i, kind := range types {
		main += fmt.Sprintf("%s %s:HERE/map%d, ", restriction, kind, i)
	}
	main += "reject_rbl_client rbl.example\n"
	if !parents {
		main += "parent_domain_matches_subdomains =\n"
	}
	h.host = newHost(t, map[string]string{"main.cf": main})
	path, err := exec.LookPath("postmap")
	if err != nil {
		t.Fatal(err)
	}
	h.postmap = path
	for i, kind := range types {
		file := filepath.Join(h.dir, fmt.Sprintf("map%d", i))
		h.files = append(h.files, file)
		h.specs = append(h.specs, kind+":"+file)
	}
	return h
}
