package address

import "strings"

// PlainBATV takes the tag of a signed bounce address away (draft-levine-smtp-batv) from a local
// part in the form of a key: prvs=0123abcdef=user, the older prvs=user/0123abcdef, and Barracuda's
// btv1==012==user.
func PlainBATV(local string) string {
	if rest, ok := strings.CutPrefix(local, "btv1=="); ok {
		if _, user, ok := strings.Cut(rest, "=="); ok && user != "" {
			return user
		}
		return local
	}
	rest, ok := strings.CutPrefix(local, "prvs=")
	if !ok {
		return local
	}
	if _, user, ok := strings.Cut(rest, "="); ok && user != "" {
		return user
	}
	if user, _, ok := strings.Cut(rest, "/"); ok && user != "" {
		return user
	}
	return local
}
