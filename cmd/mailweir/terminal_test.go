package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// esc is what a sender may put into an address: an escape sequence, the title of a window, a C1
// control, a character that turns the text around, and an octet that is no UTF-8.
const esc = "\x1b[31m\x1b]0;t\a\u009b1m\u202e\xff"

// attacks are, for each command, arguments by which it prints what others chose, as far as it
// prints any.
var attacks = map[string][][]string{
	"account off":       {{"--outbound=" + esc, "--note=" + esc}},
	"account on":        {{"--outbound=x" + esc}},
	"account list":      {{}},
	"audit":             {{"--by=" + esc, "--record=file:/" + esc}},
	"auth passwd":       {{esc}, {"bob", "--auth-passwords=/" + esc, "--delete"}},
	"auto-allow list":   {{}, {"--user=" + esc}},
	"auto-allow rm":     {{"--user=" + esc}},
	"block add":         {{"x.example", "--note=" + esc}, {esc + "@x.example"}, {esc}},
	"block list":        {{}},
	"block rm":          {{esc}, {esc + "@x.example"}},
	"check":             {{"--local-domains=inline:{" + esc + "=x}"}, {"--hops-max=" + esc}},
	"console passwd":    {{esc}, {"bob", "--console-users=/" + esc, "--delete"}},
	"config":            {{"--help-url=" + esc}, {"--client-block-list=" + esc}},
	"content test":      {{"-f", "DEFINITION", "MESSAGE"}, {"-f", esc, esc}},
	"events delete":     {{"--address=" + esc, "--note=" + esc}, {"--address=a" + esc + "@x.example", "--record=file:/" + esc}},
	"doctor":            {{esc}},
	"enforce":           {{}, {esc, "--config-dir=DIR"}, {"hops", "--note=" + esc, "--config-dir=/" + esc}, {"--undo", esc}},
	"explain":           {{"--client=192.0.2.1", "--helo=" + esc, "--from=" + esc + "@x.example", "--to=" + esc + "@ours.example", "--greylist=enforce", "MESSAGE"}, {"--json", "--from=" + esc, "--to=a@b.example"}, {"--client=" + esc}},
	"greylist pass":     {{"--client=192.0.2.1", "--from=" + esc + "@x.example", "--to=" + esc + "@ours.example", "--note=" + esc}, {"--client=" + esc}},
	"greylist show":     {{}, {"--from=" + esc}},
	"greylist flush":    {{"--from=x" + esc}},
	"man":               {{esc, esc}},
	"managed add":       {{"--user=" + esc + "@ours.example", "--block=" + esc + "@x.example", "--note=" + esc}, {"--user=" + esc, "--block=x.example"}},
	"managed list":      {{}, {"--user=" + esc + "@ours.example"}},
	"import":            {{esc}, {"--root=/" + esc}, {"postfix:/" + esc}},
	"init":              {{"--dry-run", "--journal=/" + esc, "--postfix-config-dir=/" + esc}, {"--undo", "--dry-run"}},
	"managed rm":        {{"--user=" + esc + "@ours.example", "--entry=x.example"}},
	"monitor start":     {{"rbl", "--note=" + esc}, {esc}},
	"monitor end":       {{esc}, {"spam"}},
	"monitor list":      {{}},
	"permit add":        {{"x.example", "--note=" + esc}, {esc + "@x.example"}, {esc}},
	"permit list":       {{}},
	"permit rm":         {{esc}},
	"rbl status":        {{"--control=unix:/" + esc}},
	"backends status":   {{"--control=unix:/" + esc}},
	"backends test":     {{"--control=unix:/" + esc}},
	"recipient forget":  {{esc + "@ours.example"}, {esc}},
	"recipient test":    {{esc + "@ours.example", "--control=unix:/" + esc}},
	"rbl rest":          {{esc, "--control=unix:/" + esc}},
	"rbl resume":        {{esc}},
	"rbl test":          {{esc}},
	"reload":            {{"--control=unix:/" + esc}},
	"replies":           {{"--replies=REPLIES"}, {"--replies=" + esc}},
	"replay":            {{"--with=/" + esc, "--record=file:RECORD"}, {"--since=" + esc}},
	"report":            {{"--since=" + esc}, {"--record=file:/" + esc}},
	"reputation show":   {{"192.0.2.1"}, {esc}},
	"reputation forget": {{esc}},
	"state backup":      {{"/" + esc + "/" + esc}},
	"state restore":     {{"/" + esc}},
	"state migrate":     {{"file:/" + esc, "file:/" + esc}},
	"state stats":       {{}, {"--state=file:/" + esc}},
	"table query":       {{"inline:{a=" + esc + "}", "a"}, {"texthash:TABLE", "a"}, {esc, "a"}},
	"tempblock add":     {{"192.0.2.1", "--note=" + esc}, {esc}},
	"tempblock list":    {{}},
	"tempblock rm":      {{esc}},
	"trace":             {{"--to=@ours.example", "--record=file:RECORD"}, {"--to=" + esc, "--record=file:RECORD"}, {"--since=" + esc}},
	"upgrade":           {{"--control=unix:/" + esc}},
	"version":           {{esc}},
	"would":             {{"--record=file:RECORD"}, {"--check=" + esc}},
	"why":               {{"mw-aaaaaaa1", "--record=file:RECORD"}, {esc}, {"mw-00000000", "--record=file:/" + esc}},
}

// What a terminal is sent can be seen, whatever is in the state, in messages, in files and on the
// command line.
func TestNothingMovesATerminal(t *testing.T) {
	t.Setenv("MAILWEIR_DNS", "127.0.0.1:9")
	dir := t.TempDir()
	files := map[string]string{
		"DEFINITION": "!activation 1\n1 lottery\n", "MESSAGE": "From: " + esc + " <a@x.example>\nSubject: " + esc + "\n\nlottery " + esc + "\n",
		"REPLIES": "nothing 550 5.7.1 " + esc + "\n", "TABLE": "a\tb" + esc + "\n",
	}
	var names []string
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name, filepath.Join(dir, name))
	}
	kept := recorded(t, decided("mw-aaaaaaa1", "greylist", 5, func(e *policy.Event) {
		e.Sender, e.Recipients, e.Helo, e.Subject, e.Cause = esc+"@x.example", []string{"a" + esc + "@ours.example"}, esc, esc, esc
	}))
	place := strings.NewReplacer(append(names, "RECORD", strings.TrimPrefix(kept, "--record=file:"))...)
	spec := "file:" + filepath.Join(dir, "state")
	learn(t, spec)
	shown := map[string]bool{}
	// What is entered is there when it is listed, and goes last.
	for _, verb := range []string{"add", "off", "pass", "", "rm"} {
		for _, path := range commandPaths(newRoot("")) {
			_, v, _ := strings.Cut(path, " ")
			if verb != "" && v != verb || verb == "" && strings.Contains("add off pass rm", v) && v != "" {
				continue
			}
			list, ok := attacks[path]
			if !ok {
				t.Errorf("nothing is tried with mailweir %s", path)
			}
			for _, args := range list {
				out := output(t, append(strings.Fields(path), args...), spec, place)
				shown[path] = shown[path] || strings.Contains(out, `\u001b`)
			}
		}
	}
	for _, path := range []string{"account list", "auto-allow list", "managed list", "greylist show", "explain", "table query", "trace", "why"} {
		if !shown[path] {
			t.Errorf("mailweir %s has shown nothing of a sender's", path)
		}
	}
}

// What is no command, or no right one, is not repeated so that it moves a terminal either.
func TestNoErrorMovesATerminal(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, args := range [][]string{
		{esc},
		{"help", esc},
		{"help", "config", esc},
		{"completion", esc},
		{"completion", "bash", esc},
		{"serve", esc},
		{"serve", "--mode=" + esc},
		{"serve", "--" + esc},
		{"serve", "--state=" + esc},
		{"serve", "--control=" + esc},
		{"serve", "--config=" + esc},
		{"__complete", "config", esc},
		{"__complete", esc, ""},
		{"account", esc},
		{"table", "query", "regexp:" + esc, esc},
		{"check", "--config=" + file(esc, "hops-max=x\n")},
		{"check", "--config=" + file("value", "hops-max="+esc+"\n")},
		{"check", "--config=" + file("flag", esc+"\n")},
		{"check", "--client-block-list=texthash:" + file("table", esc+"\n")},
		{"check", "--client-block-list=cidr:" + file("nets", esc+" "+esc+"\n")},
		{"explain", file("message", esc)},
	} {
		output(t, args, "memory:", strings.NewReplacer())
	}
	t.Setenv("MAILWEIR_"+esc, "x")
	t.Setenv("MAILWEIR_MODE", esc)
	for _, command := range []string{"config", "check", "serve", "explain"} {
		output(t, []string{command}, "memory:", strings.NewReplacer())
	}
}

// learn keeps what only mail brings into the state.
func learn(t *testing.T, spec string) {
	if err := os.Mkdir(strings.TrimPrefix(spec, "file:"), 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(t.Context(), spec, state.Options{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	key := state.Key("auto-allow", "bob@ours.example", esc+"@x.example")
	if _, err := store.Do(t.Context(), state.Put(key, []byte(esc), time.Hour).Entered()); err != nil {
		t.Fatal(err)
	}
}

// commandPaths names every command that does something, but for those that only write text of ours.
func commandPaths(cmd *cobra.Command) (paths []string) {
	for _, c := range cmd.Commands() {
		switch path := strings.TrimPrefix(c.CommandPath(), "mailweir "); {
		case path == "serve" || path == "completion" || path == "help" || path == "reference":
		case c.HasSubCommands():
			paths = append(paths, commandPaths(c)...)
		default:
			paths = append(paths, path)
		}
	}
	return paths
}

// output runs a command and returns what it has printed, which is text.
func output(t *testing.T, args []string, spec string, place *strings.Replacer) string {
	t.Helper()
	for i, arg := range args {
		args[i] = place.Replace(arg)
	}
	if !strings.Contains(strings.Join(args, " "), "--state=") && !slices.Contains([]string{"version", "table", "content", "help", "completion", "__complete"}, args[0]) && (len(args) < 2 || args[1] != "migrate") {
		args = append(args, "--state="+spec)
	}
	var out, errs bytes.Buffer
	run(args, &out, &errs, "")
	for _, text := range []string{out.String(), errs.String()} {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }) {
			t.Errorf("mailweir %q prints %q", args, text)
		}
	}
	return out.String() + errs.String()
}
