package content

import (
	"path/filepath"
	"strings"
	"testing"
)

// shipped gives the definitions of contrib/content.
func shipped(t testing.TB) []*Definition {
	t.Helper()
	files, err := filepath.Glob("../../contrib/content/*.def")
	if err != nil || len(files) == 0 {
		t.Fatalf("definitions: %v, %v", files, err)
	}
	defs, err := Load(files...)
	if err != nil {
		t.Fatal(err)
	}
	return defs
}

// TestShippedDefinitions shows for each definition what it is for, and what it leaves alone.
func TestShippedDefinitions(t *testing.T) {
	e, err := NewExaminer(shipped(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, fires, msg string }{
		{"three cards", "card-numbers", "Subject: x\n\n4111 1111 1111 1111, 5500-0000-0000-0004\n and 3400 000000 00009"},
		{"one card", "", "Subject: x\n\nmy card numbers: 4111 1111 1111 1111 cvv 123"},
		{"no cards", "", "Subject: x\n\n4111 1111 1111 1112, 5500-0000-0000-0005, 4012888888881882 order 123456"},
		{"mark in a document", "confidential", attach("plan.docx", "application/octet-stream", zipOf(t, "word/document.xml", "<w:p><w:t>Strictly con</w:t><w:t>fidential</w:t></w:p>"))},
		{"disclaimer", "", "Subject: x\n\nThis message may contain confidential information."},
		{"press release", "", "Subject: For immediate release\n\nThe paper was marked:\nStrictly confidential."},
		{"program in zip", "dangerous-files", attach("a.zip", "application/zip", zipOf(t, "Invoice.pdf.EXE", "x"))},
		{"hidden extension", "dangerous-files", attach("invoice.pdf      .xyz", "a/b", []byte("x"))},
		{"hidden extension of a program", "dangerous-files", attach("invoice.pdf      .pif", "a/b", []byte("x"))},
		{"extension twice", "", attach("Report v1.docx .docx", "a/b", []byte("x"))},
		{"named as a site", "", attach("Invoice from shop.com", "application/pdf", []byte("%PDF-1.4"))},
		{"document", "", attach("executive.com.pdf", "application/pdf", []byte("%PDF-1.4"))},
		{"letter", "advance-fee", "Subject: URGENT REPLY: business proposal\n\nI am the widow of the late president. As next of kin a sum of US$ 30 million is yours."},
	} {
		t.Run(c.name, func(t *testing.T) {
			var names []string
			for _, d := range examine(t, e, c.msg, 1000).Fired() {
				names = append(names, d.Name)
			}
			if got := strings.Join(names, " "); got != c.fires {
				t.Errorf("fired %q, want %q", got, c.fires)
			}
		})
	}
}

// TestWantedMail sends all wanted mail of the corpus through the definitions shipped: none may
// fire, whatever the direction.
func TestWantedMail(t *testing.T) {
	e, err := NewExaminer(shipped(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range corpusSets {
		t.Run(set, func(t *testing.T) {
			dir, names := corpus(t, set)
			fired, symptoms, limits := 0, map[Symptom]int{}, map[Limit]int{}
			for _, name := range names {
				r := examine(t, e, mustRead(t, filepath.Join(dir, name)), 65535)
				for _, o := range r.Outcomes {
					if !o.Fired {
						continue
					}
					fired++
					if set != "spam" {
						t.Errorf("%s: %s fires with %d", name, o.Definition.Name, o.Score)
						for _, h := range o.Hits {
							t.Logf("%s %d times", h.Entry.Position(), h.Count)
						}
					}
				}
				for _, s := range r.Symptoms {
					symptoms[s]++
					if set != "spam" && !(s == SymptomOpenMultipart && name == neverClosed) {
						t.Errorf("%s: %s", name, s)
					}
				}
				for _, l := range r.Limits {
					limits[l]++
					if set != "spam" {
						t.Errorf("%s: limit %s", name, l)
					}
				}
			}
			t.Logf("%d messages, %d fired, symptoms %v, limits %v", len(names), fired, symptoms, limits)
		})
	}
}

// neverClosed is a newsletter whose sender does not write the closing boundary; nothing of it is
// missing.
const neverClosed = "00021.1707ccb203e1a39f5167f1c0d65cc235"
