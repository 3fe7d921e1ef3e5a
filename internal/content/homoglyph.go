package content

// lookalikes maps letters of other scripts to the Latin letter that they look like in upper or lower case, in their folded form (after
// Unicode Technical Standard 39). Entries are mapped as texts are, so words of those scripts still match themselves.
var lookalikes = func() map[rune]rune {
	m := map[rune]rune{}
	for _, pair := range []struct{ from, to string }{
		{"авекмнорстухѕіјһԁԛԝӏгь", "abekmhopctyxsijhdqwlrb"}, // Cyrillic
		{"αβεζηικμνορτυχγω", "abezhikmnoptyxyw"},             // Greek
		{"ɑɡɩʏɪʟʀɴʜ", "agiyilrnh"},                           // phonetic letters
	} {
		to := []rune(pair.to)
		for i, r := range []rune(pair.from) {
			m[r] = to[i]
		}
	}
	return m
}()

// folding says how texts and entries are brought to one form.
type folding struct{ homoglyphs bool }

// rune gives the one form that all cases of a letter have in folded text, and with homoglyphs all letters that look alike.
func (f folding) rune(r rune) rune {
	r = foldRune(r)
	if f.homoglyphs {
		if latin, ok := lookalikes[r]; ok {
			return latin
		}
	}
	return r
}
