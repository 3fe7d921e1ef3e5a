package examination

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"mailweir/internal/content"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// looker is a check that looks into messages and keeps what it finds.
type looker struct {
	name    string
	skips   bool // wants nothing to be looked at
	results []*content.Result
	errs    []error
}

func (l *looker) check() *policy.Check {
	c := policytest.Scripted(l.name, policy.Hooks{})
	c.Setup = func(*policy.Flags) policy.Build {
		return func(env *policy.Env) (policy.Hooks, error) {
			exam := For(env, func(*policy.Message) (content.Needs, bool) { return content.Files | content.Sums, !l.skips })
			return policy.Hooks{
				Header: exam.Header,
				Body:   exam.Body,
				Message: func(m *policy.Message) (policy.Verdict, error) {
					result, err := exam.Finish(m)
					l.results, l.errs = append(l.results, result), append(l.errs, err)
					return policy.Pass, nil
				},
				SettleMessage: exam.Settle,
			}, nil
		}
	}
	return c
}

// Several checks have one walk, and all see what it found, those that ask for nothing as well.
func TestOneWalk(t *testing.T) {
	first, second, third := &looker{name: "first"}, &looker{name: "second"}, &looker{name: "third", skips: true}
	policytest.Only(first.check(), second.check(), third.check()).Host(t).Visit(policytest.Attachment("a.exe", "MZ"))
	if len(first.results) != 1 || len(second.results) != 1 || len(third.results) != 1 {
		t.Fatal("not asked once each")
	}
	result := first.results[0]
	if result == nil || len(result.Parts) != 1 || result.Parts[0].Name != "a.exe" {
		t.Fatalf("found %+v", result)
	}
	if sum := result.Parts[0].MD5; sum != "ac6ad5d9b99757c3a878f2d275ace198" {
		t.Errorf("digest %s: the body was not handed on once", sum)
	}
	if second.results[0] != result || third.results[0] != result {
		t.Error("more than one walk")
	}
}

// The body is handed on by whoever wants it, once, whatever others do.
func TestWhoHandsOn(t *testing.T) {
	first, second := &looker{name: "first", skips: true}, &looker{name: "second"}
	policytest.Only(first.check(), second.check()).Host(t).Visit(policytest.Attachment("a.exe", "MZ"))
	if result := second.results[0]; result == nil || len(result.Parts) != 1 || result.Parts[0].Name != "a.exe" {
		t.Errorf("found %+v", result)
	}
}

// Fields in front hide nothing: the walk sees every one, however many the message keeps. What it
// takes of memory does not grow with them.
func TestManyFields(t *testing.T) {
	for _, fields := range []int{9_999, 10_000, 10_001, 100_000} {
		t.Run(strconv.Itoa(fields), func(t *testing.T) {
			only := &looker{name: "only"}
			h := policytest.Only(only.check()).Host(t)
			l := policytest.Attachment("a.exe", "MZ")
			l.Header = slices.Concat(slices.Repeat([]string{"X: y"}, fields), l.Header)
			h.Visit(l)
			if result := only.results[0]; len(result.Parts) != 1 || result.Parts[0].Name != "a.exe" || len(result.Reached) != 0 {
				t.Errorf("found %+v", result)
			}
		})
	}
}

// A message that nobody wants to be looked at is not.
func TestNobodyAsks(t *testing.T) {
	only := &looker{name: "only", skips: true}
	policytest.Only(only.check()).Host(t).Visit(policytest.Attachment("a.exe", "MZ"))
	if only.results[0] != nil || only.errs[0] != nil {
		t.Errorf("found %+v, %v", only.results[0], only.errs[0])
	}
}

// A message that has no end leaves nothing behind, and one after it on the same connection is
// another.
func TestNoEnd(t *testing.T) {
	only := &looker{name: "only"}
	h := policytest.Only(only.check()).Host(t)
	s := h.Runner.NewSession()
	s.Connect(policytest.Letter{}.Connect())
	policytest.Begin(s, policytest.Letter{})
	s.EndOfHeaders()
	s.Body([]byte("hello"))
	s.Abort()
	h.Leave(s)
	h.Visit(policytest.Attachment("b.exe", "MZ"))
	if len(only.results) != 1 || only.results[0].Parts[0].Name != "b.exe" {
		t.Errorf("found %+v", only.results)
	}
}

// Who asks after the walk has broken off is told so.
func TestBroken(t *testing.T) {
	l := &looker{name: "only"}
	c := l.check()
	build := c.Setup(nil)
	c.Setup = func(*policy.Flags) policy.Build {
		return func(env *policy.Env) (policy.Hooks, error) {
			hooks, err := build(env)
			exam := For(env, func(*policy.Message) (content.Needs, bool) { return 0, true })
			message := hooks.Message
			hooks.Message = func(m *policy.Message) (policy.Verdict, error) {
				exam.slot.Of(m).busy = true // as a panic leaves it
				return message(m)
			}
			return hooks, err
		}
	}
	policytest.Only(c).Host(t).Visit(policytest.Attachment("a.exe", "MZ"))
	if !errors.Is(l.errs[0], errBroken) {
		t.Errorf("error %v, want %v", l.errs[0], errBroken)
	}
}

func TestLimitsReached(t *testing.T) {
	if got := LimitsReached(nil, "; "); got != "" {
		t.Error(got)
	}
	if got := LimitsReached(&content.Result{}, "; "); got != "" {
		t.Error(got)
	}
	only := &looker{name: "only"}
	nested := &strings.Builder{}
	for range 200 {
		nested.WriteString("--b0\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n")
	}
	h := policytest.Only(only.check()).Host(t)
	h.Visit(policytest.Letter{Header: []string{"Content-Type: multipart/mixed; boundary=b0"}, Body: nested.String()})
	if got, want := LimitsReached(only.results[0], "; "), "; limits reached: depth"; !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The names of the files are the message's, as they can be shown.
func TestAttachmentsAreNamed(t *testing.T) {
	many := make([]content.Part, 0, 300)
	for i := range 300 {
		many = append(many, content.Part{Name: strconv.Itoa(i % 150)})
	}
	for name, c := range map[string]struct {
		parts []content.Part
		want  []string
	}{
		"without a name": {[]content.Part{{}, {Name: "a.exe"}}, []string{"a.exe"}},
		"twice":          {[]content.Part{{Name: "a.zip"}, {Name: "a.zip/b"}, {Name: "a.zip"}}, []string{"a.zip", "a.zip/b"}},
		"tricks":         {[]content.Part{{Name: "a\x1b[31m\u202eexe.txt\n\xff"}}, []string{"a\ufffd[31m\ufffdexe.txt\ufffd\ufffd"}},
		"long":           {[]content.Part{{Name: strings.Repeat("ä", 200)}}, []string{strings.Repeat("ä", 127)}},
	} {
		if got := attachments(c.parts); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := attachments(many); len(got) != policy.MaxAttachments || got[99] != "99" {
		t.Errorf("%d names", len(got))
	}
	var seen []string
	look := &looker{name: "first"}
	last := policytest.Scripted("last", policy.Hooks{Message: func(m *policy.Message) (policy.Verdict, error) {
		seen = m.Attachments
		return policy.Pass, nil
	}})
	policytest.Only(look.check(), last).Host(t).Visit(policytest.Attachment("a.exe", "MZ"))
	if !slices.Equal(seen, []string{"a.exe"}) {
		t.Errorf("the message has %q", seen)
	}
}
