package content

import (
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkMessages examines the messages of the corpus with a few entries, and those alone that
// have HTML.
func BenchmarkMessages(b *testing.B) {
	var all, html []string
	for _, set := range []string{"easy_ham", "hard_ham", "spam"} {
		dir, names := corpus(b, set)
		for _, name := range names {
			msg := mustRead(b, filepath.Join(dir, name))
			all = append(all, msg)
			if strings.Contains(strings.ToLower(msg), "content-type: text/html") {
				html = append(html, msg)
			}
		}
	}
	e := mustExaminer(b, Options{}, "!activation 1\n1 zzyzx\n1 project nightingale\n1 regex,cardnumber \\b(?:\\d[ -]?){12,19}\\b\n0 exclude press release")
	for name, messages := range map[string][]string{"all": all, "html": html} {
		b.Run(name, func(b *testing.B) {
			octets := 0
			for _, msg := range messages {
				octets += len(msg)
			}
			b.ReportAllocs()
			defer perCPU(b, octets)()
			for b.Loop() {
				for _, msg := range messages {
					examine(b, e, msg, 65535)
				}
			}
		})
	}
}
