package content

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// found is what a reader of mail has found in a message.
type foundByReader struct {
	Names []string
	Text  string
}

// TestAgainstReaders holds generated messages, with faults in the headers of their parts and in
// their boundaries, against Python's email, Perl's MIME-tools, ripMIME and munpack: where any of
// them finds a name or a text, it is found here. MAILWEIR_READERS=N tries N messages.
func TestAgainstReaders(t *testing.T) {
	count := 250
	if n, err := strconv.Atoi(os.Getenv("MAILWEIR_READERS")); err == nil {
		count = n
	}
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.Mkdir(in, 0o700); err != nil {
		t.Fatal(err)
	}
	var messages []string
	for i := range count {
		messages = append(messages, generateMessage(uint64(i)))
		if err := os.WriteFile(filepath.Join(in, fmt.Sprintf("%06d", i)), []byte(messages[i]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var ours []foundByReader
	e := mustExaminer(t, Options{KeepText: true}, "!activation 1\n!scan body attachments\n1 "+strings.Join(tokens(), "\n1 "))
	for _, msg := range messages {
		r := examine(t, e, msg, 1000)
		f := foundByReader{Names: names(r)}
		for _, h := range r.Outcomes[0].Hits {
			f.Text += h.Entry.Text + " "
		}
		ours = append(ours, f)
	}
	for _, reader := range otherReaders() {
		t.Run(reader.name, func(t *testing.T) {
			theirs := reader.run(t, in, filepath.Join(dir, reader.name))
			if len(theirs) != count {
				t.Fatalf("%d of %d messages", len(theirs), count)
			}
			names, texts := 0, 0
			for i, their := range theirs {
				missed := missedNames(reader.name, their.Names, ours[i].Names)
				for _, token := range tokenPattern.FindAllString(their.Text, -1) {
					texts++
					if !strings.Contains(ours[i].Text, token+" ") {
						missed = append(missed, token)
					}
				}
				names += len(their.Names)
				if len(missed) > 0 {
					t.Errorf("message %d: not found %q; found %q %q\n%s", i, missed, ours[i].Names, ours[i].Text, messages[i])
				}
			}
			t.Logf("%d messages, %d names, %d texts", count, names, texts)
		})
	}
}

// otherReader is a program that takes messages apart.
type otherReader struct {
	name string
	run  func(t *testing.T, in, out string) []foundByReader
}

func otherReaders() []otherReader {
	return []otherReader{
		{"Python", byScript("python3", "python.py")},
		{"MIME-tools", byScript("perl", "mimetools.pl")},
		{"ripMIME", byUnpacker("ripmime")},
		{"munpack", byUnpacker("munpack")},
	}
}

// byScript runs a script that prints what it finds in the messages of a directory.
func byScript(command, script string) func(*testing.T, string, string) []foundByReader {
	return func(t *testing.T, in, _ string) (list []foundByReader) {
		t.Helper()
		out, err := exec.Command(command, filepath.Join("testdata", "readers", script), in).Output()
		if err != nil {
			testbed.Skip(t, fmt.Sprintf("%s cannot run %s: %v", command, script, err))
		}
		lines := bufio.NewScanner(bytes.NewReader(out))
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var one foundByReader
			if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
				t.Fatal(err)
			}
			list = append(list, one)
		}
		return list
	}
}

// byUnpacker takes what a program has written for each message of a directory.
func byUnpacker(program string) func(*testing.T, string, string) []foundByReader {
	return func(t *testing.T, in, out string) (list []foundByReader) {
		t.Helper()
		if _, err := exec.LookPath(program); err != nil {
			testbed.Skip(t, "no "+program+": parts are not compared")
		}
		if said, err := exec.Command("sh", filepath.Join("testdata", "readers", "unpack.sh"), program, in, out).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		messages, err := os.ReadDir(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			var one foundByReader
			files, err := os.ReadDir(filepath.Join(out, m.Name()))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				one.Names = append(one.Names, f.Name())
				one.Text += mustRead(t, filepath.Join(out, m.Name(), f.Name())) + "\n"
			}
			list = append(list, one)
		}
		return list
	}
}

var (
	tokenPattern = regexp.MustCompile(`tok[0-9]+z`)
	// fileName is a name as the messages have them, whatever a reader has put around it.
	fileName = regexp.MustCompile(`n[0-9]+x[ (c).]*\.?[a-z]{2,3}`)
)

func tokens() (list []string) {
	for i := range 40 {
		list = append(list, fmt.Sprintf("tok%dz", i))
	}
	return list
}

// plainName is what is compared of a name: letters, digits and dots.
func plainName(name string) string {
	name = strings.ReplaceAll(name, "X", "") // what munpack puts for signs; our names are in lower case
	return strings.Map(func(r rune) rune {
		if r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// missedNames are the names that a reader has found and we have not. Of what it makes up itself,
// such as textfile0, there is no file name in it.
func missedNames(reader string, theirs, ours []string) (missed []string) {
	for _, name := range theirs {
		if !fileName.MatchString(name) {
			continue
		}
		same := func(our string) bool { return plainName(BaseName(our)) == plainName(BaseName(name)) }
		if !slices.ContainsFunc(ours, same) && explained(reader, name, ours) == "" {
			missed = append(missed, name)
		}
	}
	return missed
}

// explained says why a reader has a name that we have not, "" if that is a fault.
func explained(reader, name string, ours []string) string {
	if reader == "munpack" {
		switch {
		case strings.HasPrefix(name, "=Xutf-8X"):
			return "it leaves encoded words as they are"
		case strings.HasPrefix(name, "X") && strings.ContainsAny(name, "=XX"):
			return "in single quotes it takes the rest of the field for the name"
		}
	}
	// MIME readers that put a plain name and sections together, ripMIME those of all parameters
	// too. We do not, because honest senders write a plain name beside sections that say the same.
	name = plainName(BaseName(name))
	ends := func(test func(string, string) bool) bool {
		return slices.ContainsFunc(ours, func(our string) bool {
			our = plainName(BaseName(our))
			return our != "" && len(our) < len(name) && test(name, our)
		})
	}
	switch {
	case reader == "ripMIME" && (ends(strings.HasSuffix) || ends(strings.HasPrefix)):
		return "it puts the names of several parameters together, and both are ours"
	case reader == "Python" && ends(strings.HasPrefix):
		return "it puts a plain name in the place of the first section"
	}
	return ""
}
