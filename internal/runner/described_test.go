package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/table"
	"mailweir/internal/trace"
)

// What a decision at the end of a message tells of it, and nothing of it before.
func TestEventTellsOfTheMessage(t *testing.T) {
	files := check("files", policy.Hooks{Message: func(m *policy.Message) (policy.Verdict, error) {
		m.Attachments = []string{"a.zip"}
		return no("files")
	}})
	early := check("early", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return no("early") }}, func(c *policy.Check) { c.Mode = policy.Monitor })
	r := newRig(t, "", early, files)
	s := r.runner.NewSession()
	s.Connect(mail().connect())
	s.Helo(policy.HeloFacts{Name: "h", TLS: policy.TLS{Version: "TLSv1.3", Bits: 256}})
	s.Mail(policy.MailFacts{Sender: "x@else.example"})
	s.Rcpt(policy.RcptFacts{Recipient: "a@ours.example"})
	s.Header(policy.Field{Name: "message-ID", Value: "<1@x>"}, "4A")
	s.Header(policy.Field{Name: "From", Value: "X <x@mail.else.example>"}, "4A")
	s.Header(policy.Field{Name: "Subject", Value: "hello"}, "4A")
	s.EndOfHeaders()
	s.Body([]byte("12345"))
	knowSPF(&s.msg.Message, mailauth.SPFPass, nil)
	s.EndOfMessage("4A")
	s.Close()
	r.idle()
	if len(r.seen.list) != 2 {
		t.Fatalf("events: %v", r.seen.events())
	}
	told := func(e *policy.Event) string {
		return fmt.Sprint(e.Check, " ", e.TLS.Version, e.TLS.Bits, " ", e.MessageID, e.From, " ", e.Subject, " ", e.Attachments, e.SPF, e.DMARC, e.Octets)
	}
	if got, want := told(r.seen.list[0]), "early TLSv1.3256   []0"; got != want {
		t.Errorf("before the message:\n%s\nwant:\n%s", got, want)
	}
	octets := r.seen.transactions[0].Octets
	if got, want := told(r.seen.list[1]), fmt.Sprint("files TLSv1.3256 <1@x>X <x@mail.else.example> hello [a.zip]passspf", octets); got != want {
		t.Errorf("at its end:\n%s\nwant:\n%s", got, want)
	}
	if x := r.seen.transactions[0]; !slices.Equal(x.Attachments, []string{"a.zip"}) || x.DMARC != "spf" || x.Policy == "" || x.Policy != r.seen.list[1].Policy {
		t.Errorf("the transaction: %+v", x)
	}
}

func TestAlignment(t *testing.T) {
	const none, unknown = "none", ""
	for name, c := range map[string]struct {
		from   []string
		spf    mailauth.SPFResult
		signed []string // "" for one that is not valid, "?" for one that nobody has looked at
		want   string
	}{
		"spf":                 {[]string{"a@else.example"}, mailauth.SPFPass, nil, "spf"},
		"a sub-domain":        {[]string{"a@b.else.example"}, mailauth.SPFPass, nil, "spf"},
		"both":                {[]string{"a@else.example"}, mailauth.SPFPass, []string{"x.else.example"}, "spf,dkim"},
		"a signature":         {[]string{"a@bank.example"}, mailauth.SPFPass, []string{"bank.example"}, "dkim"},
		"neither":             {[]string{"a@bank.example"}, mailauth.SPFPass, []string{"", "third.example"}, none},
		"SPF fails":           {[]string{"a@else.example"}, mailauth.SPFFail, nil, none},
		"a signature unknown": {[]string{"a@bank.example"}, mailauth.SPFPass, []string{"?"}, unknown},
		"nobody asked":        {[]string{"a@else.example"}, "", nil, unknown},
		"two authors":         {[]string{"a@else.example, b@bank.example"}, mailauth.SPFPass, nil, unknown},
		"two fields":          {[]string{"a@else.example", "a@else.example"}, mailauth.SPFPass, nil, unknown},
		"no author":           {nil, mailauth.SPFPass, nil, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "")
			s := r.runner.NewSession()
			s.Connect(mail().connect())
			s.Mail(policy.MailFacts{Sender: "x@else.example"})
			if c.spf != "" {
				knowSPF(&s.msg.Message, c.spf, nil)
			}
			for _, from := range c.from {
				s.Header(policy.Field{Name: "From", Value: from}, "")
			}
			var found []*signature
			for _, domain := range c.signed {
				s.Header(policy.Field{Name: "DKIM-Signature", Value: "x"}, "")
				found = append(found, &signature{})
				if domain != "?" {
					found[len(found)-1].valid.Set(domain, nil)
				}
			}
			s.EndOfHeaders()
			if found != nil {
				s.msg.found = &found
			}
			s.EndOfMessage("")
			s.Close()
			r.idle()
			if got := r.seen.transactions[0].DMARC; got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// What checks asked is in the record of a transaction, each once, also where they have nothing
// against the mail; what another line sums up is not.
func TestTransactionTellsWhatWasAsked(t *testing.T) {
	asks := func(q policy.PlainQuestion, question string) policy.Verdict {
		return q.Later(func(ctx context.Context) (policy.Verdict, error) {
			trace.Detail(ctx, "detail", "of it")
			trace.Add(ctx, question, "no")
			trace.Add(ctx, "common", "no")
			trace.State(ctx, "k", 10, func() string { return "k " + question })
			return policy.Pass, nil
		})
	}
	slow, atOnce := policy.Asks(policy.Network{}), policy.Asks()
	one := check("one", policy.Hooks{
		Connect: func(*policy.Connection) (policy.Verdict, error) { return asks(slow, "client"), nil },
		Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
			return asks(atOnce, r.Address.Local), nil
		},
		Message: func(*policy.Message) (policy.Verdict, error) { return asks(slow, "content"), nil },
	})
	r := newRig(t, "", one)
	s := r.runner.NewSession()
	s.Connect(mail().connect())
	for range 2 {
		if said := r.again(s, mail("a@ours.example", "b@ours.example")); said != "" {
			t.Fatal(said)
		}
	}
	s.Close()
	r.idle()
	for _, x := range r.seen.transactions {
		var questions []string
		for _, q := range x.Queries {
			questions = append(questions, q.Question)
		}
		if got, want := strings.Join(questions, " "), "client common a b content"; got != want {
			t.Errorf("asked: %s, want %s", got, want)
		}
		if got, want := strings.Join(x.State, ","), "k client"; got != want {
			t.Errorf("remembered: %s, want %s", got, want)
		}
	}
}

// What was asked for permits is told, too, whether it was asked where it was needed or waited for.
func TestTransactionTellsWhatWasAskedForPermits(t *testing.T) {
	for _, atOnce := range []bool{true, false} {
		hooks := objecting("x", policy.StageRcpt)
		hooks.GrantAtOnce = atOnce
		hooks.Grant = func(ctx context.Context, _ *policy.Recipient) ([]policy.Grant, error) {
			trace.Add(ctx, "pair?", "no")
			return nil, nil
		}
		r := newRig(t, "--x=monitor", check("x", hooks, bypass(policy.ExemptAutoAllow)))
		r.send(mail("a@ours.example"))
		r.idle()
		if got, want := fmt.Sprint(r.seen.transactions[0].Queries), "[{pair? no}]"; got != want {
			t.Errorf("at once %t: asked %s, want %s", atOnce, got, want)
		}
	}
}

// Where nobody keeps a transaction, nothing is kept for it; the events tell what was asked as ever.
func TestNobodyKeepsWhatWasAsked(t *testing.T) {
	r := newRig(t, "", check("one", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
		return policy.Asks().Later(func(ctx context.Context) (policy.Verdict, error) {
			trace.Add(ctx, "one?", "no")
			if trace.HeedsState(ctx) {
				t.Error("the state is told of what it says")
			}
			return policy.Object(reply("one")), nil
		}), nil
	}}))
	r.seen.careless = true
	r.send(mail("a@ours.example"))
	r.idle()
	if e := r.seen.list[0]; len(e.Trace) != 1 {
		t.Errorf("the event has %v", e.Trace)
	}
	if x := r.seen.transactions[0]; len(x.Queries)+len(x.State) > 0 {
		t.Errorf("kept: %v, %v", x.Queries, x.State)
	}
}

func TestDigest(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list")
	write := func(text string) {
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a@b OK\n")
	set := func(f *policy.Flags) policy.Build {
		f.String("word", "", "WORD", "a word")
		files := f.Tables("list", "a list", table.Use{Values: table.Any})
		return func(env *policy.Env) (policy.Hooks, error) {
			_, err := files.Open(env)
			return policy.Hooks{Mail: func(*policy.Message) (policy.Verdict, error) { return policy.Pass, nil }}, err
		}
	}
	r := newRig(t, "", check("one", policy.Hooks{}, func(c *policy.Check) { c.Setup = set }), check("two", policy.Hooks{Mail: func(*policy.Message) (policy.Verdict, error) { return policy.Pass, nil }}))
	digests := func(flags string) (whole, one, two string) {
		p := r.policy(flags)
		defer p.Close()
		checks := p.Checks()
		return p.Digest(), checks[1].Digest, checks[2].Digest
	}
	whole, one, two := digests("--one-list=" + list)
	if again, _, _ := digests("--one-list=" + list); again != whole || len(whole) != 12 {
		t.Errorf("%q and %q", whole, again)
	}
	for _, c := range []struct {
		flags, text                 string
		sameWhole, sameOne, sameTwo bool
	}{
		{"--one-list=" + list, "a@b OK\n", true, true, true},
		{"--one-list=" + list + " --one=monitor", "a@b OK\n", false, true, true},
		{"--one-list=" + list + " --one-word=x", "a@b OK\n", false, false, true},
		{"--one-list=" + list, "a@c OK\n", false, false, true},
		{"--one-list=" + list + " --local-domains=inline:{theirs.example=x}", "a@b OK\n", false, false, false},
		{"--one-list=" + list + " --permit-senders=inline:{a@b=OK}", "a@b OK\n", false, true, true},
	} {
		write(c.text)
		w, a, b := digests(c.flags)
		if w == whole != c.sameWhole || a == one != c.sameOne || b == two != c.sameTwo {
			t.Errorf("%s, %q: %t %t %t", c.flags, c.text, w == whole, a == one, b == two)
		}
	}
}
