package rbl

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Secret is the key of a paid zone. It can't be printed: every form that package fmt, encoding/json
// or a logger might choose is a placeholder, and the value sits behind a pointer, which reflection
// prints as a number.
type Secret struct{ value *string }

// NewSecret takes a key that is already in memory.
func NewSecret(key string) (Secret, error) {
	key = strings.ToLower(strings.TrimSpace(key))
	if err := checkLabel(key); err != nil {
		return Secret{}, fmt.Errorf("not a usable key: it must be one label of a domain name")
	}
	return Secret{&key}, nil
}

// ReadSecret takes the key from a file, white space around it removed.
func ReadSecret(file string) (Secret, error) {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return Secret{}, errors.New("the key's file is not a regular file")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return Secret{}, fmt.Errorf("key of a list: %w", withoutKey(file, err))
	}
	s, err := NewSecret(string(b))
	if err != nil {
		return Secret{}, fmt.Errorf("%s:1: %w; write the key alone in the file", file, err)
	}
	return s, nil
}

// withoutKey is an error about a file without its name, unless that is a path: somebody may have
// written the key itself.
func withoutKey(file string, err error) error {
	var about *os.PathError
	if strings.HasPrefix(file, "/") || strings.HasPrefix(file, ".") || !errors.As(err, &about) {
		return err
	}
	return fmt.Errorf("open its file, whose name is not shown as it does not begin with / or ./: %w", about.Err)
}

// ParseKey reads one `NAME=FILE` as --rbl-key has it.
func ParseKey(spec string) (name string, key Secret, err error) {
	name, file, ok := strings.Cut(spec, "=")
	if !ok || file == "" || !keyName.MatchString("{"+name+"}") {
		// What was given is not repeated: it may be the key itself.
		return "", Secret{}, errors.New("write NAME=FILE, where FILE holds the key and {NAME} stands in the zone")
	}
	key, err = ReadSecret(file)
	return name, key, err
}

const secretText = "{secret}"

// String and the methods below never give the key.
func (Secret) String() string { return secretText }

// GoString is for %#v.
func (Secret) GoString() string { return secretText }

// MarshalText is for encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(secretText), nil }

// wireZone is a zone with its keys put in, behind a pointer; nil if it has none.
func wireZone(zone string, keys map[string]Secret) (*string, error) {
	if !strings.Contains(zone, "{") {
		return nil, nil
	}
	labels := strings.Split(zone, ".")
	for i, label := range labels {
		m := keyName.FindStringSubmatch(label)
		if m == nil {
			continue
		}
		key, ok := keys[m[1]]
		if !ok || key.value == nil {
			return nil, fmt.Errorf("list %s: no key is named %s: add --rbl-key %s=FILE", zone, m[1], m[1])
		}
		labels[i] = *key.value
	}
	s := strings.Join(labels, ".")
	return &s, nil
}

// redact replaces a key that a list sent back to us.
func redact(text, zone string, wire *string) string {
	if wire == nil {
		return text
	}
	shown, real := strings.Split(zone, "."), strings.Split(*wire, ".")
	for i, label := range shown {
		if keyName.MatchString(label) {
			text = replaceFold(text, real[i], label)
		}
	}
	return text
}

// replaceFold replaces old, which is in lower case, in whatever case it stands.
func replaceFold(text, old, replacement string) string {
	var b strings.Builder
	for {
		at := strings.Index(lowerASCII(text), old)
		if at < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:at])
		b.WriteString(replacement)
		text = text[at+len(old):]
	}
}
