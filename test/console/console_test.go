package console

import (
	"fmt"
	"strings"
	"testing"
)

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// cut takes "POST /path" apart; without a method it is GET.
func cut(path string) (method, rest string) {
	if method, rest, ok := strings.Cut(path, " "); ok {
		return method, rest
	}
	return "GET", path
}

func TestConsole(t *testing.T) {
	b := newBed(t)
	t.Run("story", b.story)
	t.Run("hostile", b.hostile)
	t.Run("state", b.state)
	t.Run("pages", b.pages)
	t.Run("roles", b.roles)
}
