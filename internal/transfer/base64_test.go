package transfer

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestBase64Readings(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"whole", "YmFk", []string{"bad"}},
		{"padding at the end", "YmE= \r\n", []string{"ba"}},
		{"two texts", "YmE=ZA==", []string{"bad", "ba", "ba\x19"}},
		{"padding in a group", "Ym=Fk", []string{"b\x16", "b", "bad"}},
		{"a lonely character", "YmFkY", []string{"bad", "YmFkY"}},
		{"padding of nothing", "YmFk=YmFk", []string{"badbad", "bad"}},
		{"signs of URLs", "Ym-Fk", []string{"bad", "bo\x85"}},
		{"white space", "Y m\r\nF\tk", []string{"bad"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, octets := range Base64Readings(c.in) {
				got = append(got, string(octets))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q: %+q, want %+q", c.in, got, c.want)
			}
		})
	}
}

// branches reads a part with all that parts from it.
func branches(t *testing.T, in io.Reader) (main string, decoded, asItIs []string, whole bool) {
	t.Helper()
	r := NewBase64Reader(in)
	whole = true
	r.Fork = func(b Branch) func([]byte) {
		text := string(b.Before)
		whole = whole && b.Whole
		return func(octets []byte) {
			switch text += string(octets); {
			case octets != nil:
			case b.AsItIs:
				asItIs = append(asItIs, text)
			default:
				decoded = append(decoded, text)
			}
		}
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), decoded, asItIs, whole
}

func TestBranches(t *testing.T) {
	for _, c := range []struct {
		name, in        string
		decoded, asItIs []string
	}{
		{"base64", "YmFk\r\nYmE=\r\n", nil, nil},
		{"padding that is written twice", "YQ====", nil, nil},
		{"text behind padding", "YmE=\r\nZA==", []string{"ba", "ba", "ba\x19"}, nil},
		{"padding in a group", "Ym=Fk", []string{"b", "bad", "bad"}, nil},
		{"signs of URLs", "Ym-Fk", []string{"bo\x85"}, []string{"Ym-Fk"}},
		{"a footer", "YmFk\r\n-- \r\nx", []string{"bad\xfb\xec"}, []string{"YmFk\r\n-- \r\nx"}},
		{"a footer behind padding", "YmE=\r\n!a list!", []string{"ba", "ba", "ba\x1a\x96+-"}, []string{"YmE=\r\n!a list!"}},
		{"no base64", "secret offer", nil, []string{"secret offer"}},
		{"a lonely character", "YmFkY", nil, []string{"YmFkY"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for how, in := range map[string]io.Reader{
				"at once":        strings.NewReader(c.in),
				"octet by octet": iotest.OneByteReader(strings.NewReader(c.in)),
			} {
				main, decoded, asItIs, whole := branches(t, in)
				if main != string(Base64(c.in)) || !slices.Equal(decoded, c.decoded) || !slices.Equal(asItIs, c.asItIs) || !whole {
					t.Errorf("%s: %q, %q, %q, whole %v", how, main, decoded, asItIs, whole)
				}
			}
		})
	}
	long := strings.Repeat("YmFk", 3000)
	_, decoded, asItIs, whole := branches(t, strings.NewReader(long+"!=YmFk"))
	if whole || len(asItIs) != 1 || len(asItIs[0]) != maxHistory+6 || len(decoded) != 3 || len(decoded[2]) != maxHistory+3 {
		t.Errorf("%d, %d, whole %v", len(decoded), len(asItIs), whole)
	}
}

// FuzzBranches: a part is read in the same ways as a short text.
func FuzzBranches(f *testing.F) {
	f.Add("YmE=ZA==", false)
	f.Add("Ym-F=k=!YmFk", true)
	f.Fuzz(func(t *testing.T, s string, slowly bool) {
		if len(s) > maxHistory/2 {
			return
		}
		in := io.Reader(strings.NewReader(s))
		if slowly {
			in = iotest.OneByteReader(in)
		}
		main, decoded, _, _ := branches(t, in)
		all := append(decoded, main)
		for _, octets := range Base64Readings(s) {
			if !slices.Contains(all, string(octets)) && string(octets) != s {
				t.Errorf("%q: %q, not %q", s, all, octets)
			}
		}
	})
}
