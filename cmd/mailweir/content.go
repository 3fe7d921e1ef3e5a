package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mailweir/internal/content"
	"mailweir/internal/explain"
)

func newContent() *cobra.Command {
	return group("content", "Try content definitions", newContentTest())
}

func newContentTest() *cobra.Command {
	var files []string
	var showText bool
	cmd := &cobra.Command{
		Use:   "test -f DEFINITION [-f DEFINITION...] MESSAGE...",
		Short: "Show what content definitions find in messages",
		Long: `Examines messages by content definitions as serve does, and shows the working: which entries match, how often and where, what
they add, whether the definition fires, which limits were reached, and what files there are. A message is a file, or standard input with -.
The text that matches is shown with --show-text only.

Directions and addresses of a definition are not looked at here; mailweir explain does that. The exit code is 1 when a definition fires,
0 when none does, 69 when a message could not be examined.`,
		Example: `  mailweir content test -f money.def -f cards.def --show-text message.eml`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(files) == 0:
				return fail(exUsage, "content test wants a definition: give -f FILE")
			case len(args) == 0:
				return fail(exUsage, "content test wants a message: give a file, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			definitions, err := content.Load(files...)
			if err != nil {
				return &exitError{exConfig, err}
			}
			examiner, err := content.NewExaminer(definitions, content.Options{KeepText: showText})
			if err != nil {
				return &exitError{exConfig, err}
			}
			fired, err := examineAll(cmd.InOrStdin(), cmd.OutOrStdout(), examiner, args)
			if err == nil && fired {
				return &exitError{code: 1}
			}
			return err
		},
	}
	cmd.Flags().StringArrayVarP(&files, "definition", "f", nil, "definition `FILE`; may be given several times")
	cmd.Flags().BoolVar(&showText, "show-text", false, "show the text that matches")
	return cmd
}

// examineAll shows what is found in each message, and reports whether a definition fired.
func examineAll(in io.Reader, out io.Writer, examiner *content.Examiner, names []string) (fired bool, err error) {
	for _, name := range names {
		m, err := openMessage(name, in)
		if err != nil {
			return fired, err
		}
		result, err := examineMessage(examiner, m)
		if err != nil {
			return fired, fail(exUnavailable, "%s: %v", name, err)
		}
		fired = fired || len(result.Fired()) > 0
		if _, err := fmt.Fprintf(out, "message %s: %s\n", name, decision(result)); err != nil {
			return fired, err
		}
		if err := result.Explain(out); err != nil {
			return fired, err
		}
	}
	return fired, nil
}

func examineMessage(examiner *content.Examiner, m *explain.Message) (*content.Result, error) {
	x := examiner.Begin(content.Text | content.Files)
	defer x.Close()
	for _, f := range m.Fields {
		x.Header(f.Name, f.Value)
	}
	const chunk = 64 << 10 // as MTAs cut it
	for body := m.Body; len(body) > 0; {
		n := min(chunk, len(body))
		x.Body(body[:n])
		body = body[n:]
	}
	return x.Finish()
}

// decision is the strictest action of the definitions that fire.
func decision(result *content.Result) content.Action {
	for _, action := range []content.Action{content.Reject, content.Defer, content.Quarantine, content.Tag, content.Monitor} {
		for _, d := range result.Fired() {
			if d.Action == action {
				return action
			}
		}
	}
	return "pass"
}
