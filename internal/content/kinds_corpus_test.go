package content

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKindsOfWantedMail: what all --signature-types together find in the wanted mail of the corpus
// stands in a golden file, a message, file and kind a line, with the reason why it is right.
func TestKindsOfWantedMail(t *testing.T) {
	const golden = "testdata/kinds.golden"
	e := mustExaminer(t, Options{})
	for _, set := range []string{"easy_ham", "hard_ham"} {
		t.Run(set, func(t *testing.T) {
			want := map[string]bool{}
			for _, line := range strings.Split(mustRead(t, golden), "\n") {
				hit, why, _ := strings.Cut(line, " because ")
				if strings.HasPrefix(hit, set+"/") {
					want[hit] = true
					if why == "" {
						t.Errorf("%s: %s: without a reason", golden, hit)
					}
				}
			}
			got := map[string]bool{}
			dir, names := corpus(t, set)
			for _, name := range names {
				r := examineFor(t, e, Files, mustRead(t, filepath.Join(dir, name)), 65535)
				for i := range r.Parts {
					for _, kind := range strings.Fields(kindsOf(&r.Parts[i])) {
						got[fmt.Sprintf("%s/%.5s file %d: %s", set, name, i, kind)] = true
						if os.Getenv("MAILWEIR_SHOW") != "" {
							t.Logf("%s: %+v", name, r.Parts[i])
						}
					}
				}
				for _, at := range r.Reached {
					got[fmt.Sprintf("%s/%.5s: unexamined", set, name)] = true
					t.Logf("%s: %s", name, at)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			t.Logf("%d messages, %d hits", len(names), len(got))
		})
	}
}
