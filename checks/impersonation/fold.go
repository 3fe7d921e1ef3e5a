package impersonation

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"mailweir/internal/confusable"
)

// titles stand before or behind a name and are no part of it.
const titles = `mr mrs ms miss mx dr doctor prof professor sir madam rev hon jr sr ii iii iv phd ph md mba msc bsc llm cpa esq
	dipl ing kfm med jur rer nat phil habil mag herr frau hr fr monsieur madame mme mlle señor señora sra signor signora
	dott ceo cfo cto coo cio president chairman chairwoman director manager geschäftsführer geschäftsführerin vorstand`

// apostrophes are no part of a word and do not end it. Some are accents of their own, which form KC
// would make a blank of.
const apostrophes = "'’‘‛`´ʼʹ′"

// asShown is a text as a reader sees it: letters and signs of another width or style are the plain
// ones (Unicode form KC, UAX 15), and what draws nothing is gone.
func asShown(text string) string {
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf && r != '\'' && r != '`':
			return r
		case unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector), strings.ContainsRune(apostrophes, r):
			return -1
		case r == '\ufdfa': // form KC makes a sentence of it
			return ' '
		}
		return r
	}, text))
}

// words are the words of a text that is as shown, in letters that look alike ([confusable.Latin]),
// without accents, in lower case. With seen, what looks like a small l is told by the case, so that
// a capital I does, and is written as 1.
func words(text string, seen bool) (list []string) {
	var word []byte
	end := func() {
		if len(word) > 0 {
			list = append(list, string(word))
		}
		word = word[:0]
	}
	for _, r := range norm.NFKD.String(text) {
		if isAccent(r) {
			continue
		}
		if !seen {
			r = foldCase(r)
		}
		letters := confusable.Latin(r)
		if letters == "" {
			if !unicode.In(r, unicode.L, unicode.N, unicode.M) {
				end()
				continue
			}
			letters = string(r)
		}
		for _, l := range letters {
			if seen && l == 'l' {
				l = '1'
			}
			word = utf8.AppendRune(word, foldCase(l))
		}
	}
	end()
	return list
}

// isAccent tells marks over, under and in letters, and apostrophes, from those that are letters in
// a script of their own.
func isAccent(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me) && unicode.Is(unicode.Inherited, r) ||
		strings.ContainsRune(apostrophes, r) || r >= 0x2b0 && r <= 0x2ff // modifier letters
}

// foldCase gives the one form that all cases of a letter have, as content/fold does.
func foldCase(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// folder brings names to the forms in which they are compared.
type folder struct{ titles map[string]bool }

func newFolder() folder {
	f := folder{titles: map[string]bool{}}
	for title := range strings.FieldsSeq(titles) {
		for _, as := range cases(title) {
			f.titles[strings.Join(words(as, true), "")] = true
		}
		f.titles[strings.Join(words(title, false), "")] = true
	}
	return f
}

// cases are the ways in which a name is usually written: small, with capital initials, all in
// capitals.
func cases(name string) []string {
	initial := true
	titled := strings.Map(func(r rune) rune {
		if initial {
			r = unicode.ToUpper(r)
		}
		initial = !unicode.IsLetter(r)
		return r
	}, name)
	return []string{name, titled, strings.ToUpper(name)}
}

// significant are the words of a name without titles and single letters, unless fewer than two
// remain.
func (f folder) significant(words []string) []string {
	var some []string
	for _, w := range words {
		if !f.titles[w] && utf8.RuneCountInString(w) > 1 {
			some = append(some, w)
		}
	}
	if len(some) < 2 {
		return words
	}
	return some
}

// spellings are a name as it is and, where that differs, as it is written without umlauts.
func spellings(name string) []string {
	plain := sharp.Replace(name)
	if other := umlauts.Replace(plain); other != plain {
		return []string{plain, other}
	}
	return []string{plain}
}

var (
	sharp   = strings.NewReplacer("ß", "ss", "ẞ", "SS")
	umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ø", "oe", "å", "aa", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "Ø", "Oe", "Å", "Aa")
)

// asked are the keys by which a text that is as shown is looked up: words are joined, so that it
// does not matter where they are parted.
func (f folder) asked(text string) (keys []string) {
	for _, spelling := range spellings(text) {
		for _, seen := range []bool{false, true} {
			all := words(spelling, seen)
			keys = append(keys, key(all, seen))
			if some := f.significant(all); len(some) < len(all) {
				keys = append(keys, key(some, seen))
			}
		}
	}
	return keys
}

// kept are the keys under which a name of the table stands: in every order that begins with another
// of its words, as "Doe, Jane" does, and in each usual case where that is seen.
func (f folder) kept(name string) (keys []string) {
	for _, spelling := range spellings(asShown(name)) {
		keys = f.appendOrders(keys, words(spelling, false), false)
		for _, as := range cases(spelling) {
			keys = f.appendOrders(keys, words(as, true), true)
		}
	}
	return keys
}

func (f folder) appendOrders(keys, all []string, seen bool) []string {
	for _, words := range [][]string{all, f.significant(all)} {
		for i := range words {
			keys = append(keys, key(slices.Concat(words[i:], words[:i]), seen))
		}
	}
	return keys
}

// key tells the two forms of [words] apart.
func key(words []string, seen bool) string {
	if seen {
		return "~" + strings.Join(words, "")
	}
	return "=" + strings.Join(words, "")
}
