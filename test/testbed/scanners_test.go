package testbed

import "testing"

// scanner is what a test does with one.
type scanner interface {
	Stop() error
	Start()
	Pause()
	Resume()
	greet() error
}

// The scanners come back at their addresses after they were stopped, and after a pause.
func TestScannersComeBack(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(TB) scanner{
		"rspamd": func(tb TB) scanner { return StartRspamd(tb) },
		"spamd":  func(tb TB) scanner { return StartSpamd(tb) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := begin(t)
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			if err := s.greet(); err == nil {
				t.Fatal("a scanner that was stopped answers")
			}
			s.Start()
			s.Pause()
			s.Resume()
			if err := s.greet(); err != nil {
				t.Error(err)
			}
		})
	}
}
