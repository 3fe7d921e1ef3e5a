package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mailweir/checks"
	"mailweir/internal/config"
	"mailweir/internal/policy"
	"mailweir/internal/terminal"
)

func newReplies() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "replies",
		Short: "Print every reply that mailweir can give",
		Long: `Prints the catalogue of replies, as --replies leaves them. The file of --replies has one line for each reply that
is to differ: ID CODE X.Y.Z Text.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s := resolveAll(originOf(cmd))
			needed := []string{config.FileFlag, config.DirFlag, "replies"}
			if s.closed() {
				needed = needed[2:] // everybody may know the declarations
			}
			if err := s.noteAllBut(cmd, needed); err != nil {
				return err
			}
			list, err := catalogue(s)
			if err != nil {
				return &exitError{exConfig, err}
			}
			if asJSON {
				out := json.NewEncoder(cmd.OutOrStdout())
				out.SetIndent("", "  ")
				return out.Encode(list)
			}
			return writeReplies(cmd.OutOrStdout(), list)
		},
	}
	addSettings(cmd)
	shows(cmd, findsConfig, "replies")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with description and resolution")
	return cmd
}

// replyEntry is one reply of the catalogue.
type replyEntry struct {
	ID          string `json:"id"`
	Check       string `json:"check"`
	Row         string `json:"row"`
	Code        int    `json:"code"`
	Enhanced    string `json:"enhanced"`
	Text        string `json:"text"`
	Overridden  bool   `json:"overridden,omitempty"`
	Description string `json:"description"`
	Resolution  string `json:"resolution"`
}

func catalogue(s *settings) ([]replyEntry, error) {
	registry := checks.Registry()
	overrides, err := s.draft.Overrides()
	if err != nil {
		return nil, err
	}
	var list []replyEntry
	registry.Replies(func(c *policy.Check, declared *policy.Reply) bool {
		r, overridden := overrides[declared.ID]
		if !overridden {
			r = declared
		}
		list = append(list, replyEntry{
			ID: r.ID, Check: c.Name, Row: r.Row, Code: r.Code, Enhanced: r.Enhanced, Text: r.Text,
			Overridden: overridden, Description: r.Description, Resolution: r.Resolution,
		})
		return true
	})
	return list, nil
}

func writeReplies(out io.Writer, list []replyEntry) error {
	table := terminal.NewTable(out, "ID", "CHECK", "ROW", "REPLY")
	for _, r := range list {
		mark := ""
		if r.Overridden {
			mark = "  (overridden)"
		}
		table.Row(r.ID, r.Check, r.Row, fmt.Sprintf("%d %s %s%s", r.Code, r.Enhanced, r.Text, mark))
	}
	return table.Flush()
}
