package content

import "testing"

// TestAMP: the style with which AMP hides a page until its own program runs hides nothing.
func TestAMP(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 2\n1 regex s.{5}\\soffer\n1 secret offer\n")
	for _, style := range []string{
		"<style amp4email-boilerplate>body{visibility:hidden}</style>",
		"<style amp-boilerplate>body{-webkit-animation:-amp-start 8s steps(1,end) 0s 1 normal both;animation:-amp-start 8s steps(1,end) 0s 1 normal both}@keyframes -amp-start{from{visibility:hidden}to{visibility:visible}}</style>",
	} {
		msg := mimePart("Content-Type: text/x-amp-html", "<!doctype html><html amp4email data-css-strict><head><meta charset=utf-8>"+
			"<script async src=\"https://cdn.ampproject.org/v0.js\"></script>"+style+"</head><body><p>sec<b>ret</b> offer</p></body></html>")
		if !examine(t, e, msg, 100).Outcomes[0].Fired {
			t.Errorf("%s: not found", style)
		}
	}
}
