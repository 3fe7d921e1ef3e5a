package css

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// presents are the attributes of a picture that are properties (SVG 2, section 6.6).
var presents = set("display visibility opacity font-size")

// fontElement reads the attributes of a font element (HTML standard, "Phrasing content" under
// "Rendering"): a size is one of seven, or so many more or less than the third of them.
func fontElement(st *Style, n *html.Node) {
	if color, has := lookup(n, "color"); has && color != "" {
		st.clear = false
	}
	if size, err := strconv.Atoi(strings.TrimSpace(attr(n, "size"))); err == nil {
		st.font = max(10, min(48, 3*float64(size)+7)) // all of them can be read
	}
}
