package console

import (
	"testing"

	"mailweir/test/browser"
)

// The table of all roles and all addresses is in internal/web; this is a look over HTTP whether it
// is in force.
func (b *bed) roles(t *testing.T) {
	const status = `fetch("%s", {method: "%s", redirect: "manual"}).then(a => a.status)`
	for _, tt := range []struct {
		who  string
		want map[string]float64
	}{
		{"", map[string]float64{"/rejections": 0, "/mine": 0, "/state": 0, "/assets/none": 404}}, // 0: sent to log in
		{"otto", map[string]float64{"/rejections": 200, "/audit": 200, "/mine": 403, "/state/tempblock/add": 403, "POST /policy/reload": 403, "POST /state/tempblock/add": 403}},
		{"helen", map[string]float64{"/rejections": 200, "/state": 200, "/mine": 403, "POST /policy/reload": 403, "POST /state/account/off": 400}},
		{"bob", map[string]float64{"/mine": 200, "/rejections": 403, "/state": 403, "/state/managed": 403, "/policy": 403, "/settings": 403, "/explain": 403, "/audit": 403, "/search": 403, "POST /state/managed/add": 403}},
	} {
		t.Run("as "+tt.who, func(t *testing.T) {
			w := b.chromium.Window(t, b.console)
			if tt.who == "" {
				w.Go("/login")
			} else {
				w = b.login(t, tt.who)
			}
			for path, want := range tt.want {
				method, path := cut(path)
				if got := browser.Eval[float64](w, sprintf(status, path, method)); got != want {
					t.Errorf("%s %s: %v, want %v", method, path, got, want)
				}
			}
		})
	}
}
