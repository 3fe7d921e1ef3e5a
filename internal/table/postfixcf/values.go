package postfixcf

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Has reports whether the file gives the name a value, empty or not.
func (f *File) Has(name string) bool {
	_, has := f.get(name)
	return has
}

// get is the value of a name, which is known from now on.
func (f *File) get(name string) (string, bool) {
	f.known[name] = true
	e, has := f.entries[name]
	return e.value, has
}

// Known makes names known that need not be read, because they mean nothing here.
func (f *File) Known(names ...string) {
	for _, name := range names {
		f.known[name] = true
	}
}

// Unsupported makes it an error that the file has the name; why says what to do instead.
func (f *File) Unsupported(name, why string) {
	if f.Has(name) {
		f.Errorf(name, "is not supported: %s", why)
	}
}

// String is the value of a name, or otherwise where the file has none.
func (f *File) String(name, otherwise string) string {
	if value, has := f.get(name); has {
		return value
	}
	return otherwise
}

// Secret is the value of a name that must not be shown: see [File.Redact].
func (f *File) Secret(name string) string {
	value, _ := f.get(name)
	f.Hide(value)
	return value
}

// Hide makes [File.Redact] hide a secret that is a part of a value.
func (f *File) Hide(value string) {
	if value != "" {
		quoted := strconv.Quote(value)
		f.secrets = append(f.secrets, value, quoted[1:len(quoted)-1], url.QueryEscape(value), url.PathEscape(value))
		slices.SortFunc(f.secrets, func(a, b string) int { return len(b) - len(a) }) // one may hold another
	}
}

// Int is a whole number between least and most.
func (f *File) Int(name string, otherwise, least, most int) int {
	value, has := f.get(name)
	if !has {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		f.Errorf(name, "%q is not a whole number from %d to %d", value, least, most)
		return otherwise
	}
	return n
}

// Bool is yes or no, in any case.
func (f *File) Bool(name string, otherwise bool) bool {
	value, has := f.get(name)
	switch {
	case !has:
		return otherwise
	case strings.EqualFold(value, "yes"):
		return true
	case strings.EqualFold(value, "no"):
		return false
	}
	f.Errorf(name, "%q is neither yes nor no", value)
	return otherwise
}

// Seconds is a span of time in whole seconds, at most a day.
func (f *File) Seconds(name string, otherwise time.Duration) time.Duration {
	return time.Duration(f.Int(name, int(otherwise/time.Second), 0, 24*60*60)) * time.Second
}

// List is the words of a value, which commas and white space part.
func (f *File) List(name string) []string {
	value, _ := f.get(name)
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || strings.ContainsRune(whiteSpace, r) })
}

// login is what looks like a password in the place of a server.
var login = regexp.MustCompile(`(?i)\b(bind_?pw|pass(word|wd)?|user(name)?)=`)

// Servers is the List of a value that names servers. A user or password among them is an error that
// quotes nothing: it would be looked up in the DNS, and stand in logs. Words that begin with one of
// own may have an "@" of their own; place says where the password belongs.
func (f *File) Servers(name, place string, own ...string) (words []string, ok bool) {
	words = f.List(name)
	for _, word := range words {
		if slices.ContainsFunc(own, func(prefix string) bool { return strings.HasPrefix(word, prefix) }) {
			continue
		}
		if strings.Contains(word, "@") || login.MatchString(word) {
			f.Errorf(name, "a user or password is no part of a server's name; %s", place)
			return nil, false
		}
	}
	return words, true
}

// Paths are the values of known names that are whole paths: of certificates, of a database.
func (f *File) Paths() []string {
	var paths []string
	for name, e := range f.entries {
		if f.known[name] && strings.HasPrefix(e.value, "/") && !slices.Contains(f.secrets, e.value) {
			paths = append(paths, e.value)
		}
	}
	slices.Sort(paths)
	return paths
}

// hidden stands in a text for a secret.
const hidden = "***"

// Redact returns err without the secrets that were read, also as they stand in quotes or in a URL.
// [errors.Is] finds in it what it did before.
func (f *File) Redact(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	shown := text
	for _, secret := range f.secrets {
		shown = strings.ReplaceAll(shown, secret, hidden)
	}
	if shown == text {
		return err
	}
	return redacted{shown, err}
}

// redacted has the kind of an error and not its text. Those that it wraps cannot be had, for they
// would show what is hidden.
type redacted struct {
	text string
	err  error
}

func (r redacted) Error() string        { return r.text }
func (r redacted) Is(target error) bool { return errors.Is(r.err, target) }
