package policy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

type question struct {
	Address string
	Hours   int
}

func TestOperation(t *testing.T) {
	o := NewOperation(About{Name: "add"},
		func(f *Flags) func([]string) (question, error) {
			hours := f.Int("hours", 1, "u")
			return func(args []string) (question, error) {
				if len(args) != 1 {
					return question{}, Wrongf("want one address, not %d", len(args))
				}
				return question{args[0], *hours}, nil
			}
		},
		func(_ context.Context, c *Call, q question) (string, error) {
			c.Altered(q.Address, "", "blocked")
			return fmt.Sprintf("%s for %d hours", q.Address, q.Hours), nil
		},
		func(out io.Writer, answer string) error {
			_, err := fmt.Fprintln(out, answer)
			return err
		})
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	request := o.Request(NewFlags(set, ""))
	if err := set.Parse([]string{"--hours=3"}); err != nil {
		t.Fatal(err)
	}
	if q, err := request([]string{"192.0.2.1"}); err != nil || q != (question{"192.0.2.1", 3}) {
		t.Errorf("request %+v, %v", q, err)
	}
	var wrong *WrongError
	if _, err := request(nil); !errors.As(err, &wrong) || wrong.Error() != "want one address, not 0" {
		t.Errorf("error %v", err)
	}

	call := new(Call)
	answer, err := o.Run(t.Context(), call, []byte(`{"Address":"192.0.2.1","Hours":3}`))
	if err != nil || answer != "192.0.2.1 for 3 hours" {
		t.Errorf("answer %v, %v", answer, err)
	}
	if got := call.Alterations(); len(got) != 1 || got[0] != (Alteration{What: "192.0.2.1", After: "blocked"}) {
		t.Errorf("alterations %+v", got)
	}
	if _, err := o.Run(t.Context(), call, []byte("{")); !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), "malformed request") {
		t.Errorf("error %v", err)
	}

	var out strings.Builder
	if err := o.Show(&out, []byte(`"done"`)); err != nil || out.String() != "done\n" {
		t.Errorf("shown %q, %v", out.String(), err)
	}
	if err := o.Show(&out, []byte("{")); err == nil || errors.As(err, &wrong) {
		t.Errorf("a malformed answer is nobody's mistake: %v", err)
	}
}

func TestOperationWithoutWords(t *testing.T) {
	o := NewOperation(About{Name: "flush"}, Unasked,
		func(context.Context, *Call, Nothing) (Nothing, error) { return Nothing{}, nil }, nil)
	request := o.Request(nil)
	if _, err := request(nil); err != nil {
		t.Error(err)
	}
	if _, err := request([]string{"all"}); err == nil || err.Error() != "unexpected argument all" {
		t.Errorf("error %v", err)
	}
	if err := o.Show(io.Discard, []byte("{")); err != nil {
		t.Errorf("what shows nothing reads nothing: %v", err)
	}
}
