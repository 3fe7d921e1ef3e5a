package signature

import (
	"fmt"
	"strings"

	"mailweir/internal/content"
	"mailweir/internal/policy"
)

// fileType is one of --signature-types.
type fileType struct {
	is   func(*content.Part) bool
	noun string
	name string // for the reply
}

// kindNouns are the kinds of file that have a name of their own.
const kindNouns = "executable, script, macros, disk-image, onenote, encrypted, disguised, double-extension, " + unexamined

// unexamined is the type of a message of which a limit kept a part from being looked at.
const unexamined = "unexamined"

// kindOf finds the kind of file that a noun stands for, nil for none: one with a name of its own,
// or a media type.
func kindOf(noun string) func(*content.Part) bool {
	switch noun {
	case "executable":
		return func(p *content.Part) bool { return p.Executable }
	case "script":
		return func(p *content.Part) bool { return p.Script }
	case "macros":
		return func(p *content.Part) bool { return p.Macros }
	case "disk-image":
		return func(p *content.Part) bool { return p.DiskImage }
	case "onenote":
		return func(p *content.Part) bool { return p.OneNote }
	case "encrypted":
		return func(p *content.Part) bool { return p.Encrypted }
	case "disguised":
		return (*content.Part).Disguised
	case "double-extension":
		return (*content.Part).DoubleExtension
	case unexamined: // of the message, not of a file
		return func(*content.Part) bool { return false }
	}
	if strings.Contains(noun, "/") {
		return func(p *content.Part) bool { return p.Real == noun }
	}
	return nil
}

func readFileTypes(list []string) (types []fileType, err error) {
	for _, item := range list {
		noun, name, named := strings.Cut(item, "=")
		noun = strings.ToLower(strings.TrimSpace(noun))
		t := fileType{is: kindOf(noun), noun: noun, name: noun}
		if named {
			t.name = policy.Clean(name)
		}
		switch {
		case t.is == nil:
			return nil, fmt.Errorf("--signature-types: %q is none of %s, and no media type", noun, kindNouns)
		case t.name == "":
			return nil, fmt.Errorf("--signature-types: %q gives a name that a reply cannot show", item)
		}
		types = append(types, t)
	}
	return types, nil
}
