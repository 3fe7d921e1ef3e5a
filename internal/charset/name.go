package charset

import (
	"strconv"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// ByName is the encoding of a charset, nil when it is not known. It only decodes; octets that mean
// nothing become U+FFFD. The names are those of the WHATWG encoding standard first, because what
// they say is what programs show (iso-8859-1 is windows-1252 there), then IANA's, then those that
// mail carries besides, with any punctuation: `UTF8`, `win-1251`, `cp_949`, `iso8859_5`, `hz`.
func ByName(label string) encoding.Encoding {
	return withControls(byName(label))
}

func byName(label string) encoding.Encoding {
	label = cleanLabel(label)
	key := squash(label)
	if e := named[key]; e != nil {
		return e
	}
	for _, name := range []string{label, strings.ReplaceAll(label, "_", "-"), key} {
		if e, err := htmlindex.Get(name); err == nil && e != encoding.Replacement && e != charmap.XUserDefined {
			return e
		}
		if e, err := ianaindex.IANA.Encoding(name); err == nil && e != nil {
			return e
		}
	}
	if strings.Contains(key, "ebcdic") {
		return ebcdic
	}
	return byNumber(key)
}

// cleanLabel takes off what does not belong to a name: quotes, a comment's blanks, a language (RFC
// 2231 section 5).
func cleanLabel(label string) string {
	label, _, _ = strings.Cut(strings.ToLower(label), "*")
	return strings.Trim(label, " \t\r\n\"';,")
}

// squash leaves the letters and digits of a name.
func squash(label string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, label)
}

// byNumber knows names that are a word and a number: `windows1251`, `cp949`, `iso88592`.
func byNumber(key string) encoding.Encoding {
	word := strings.TrimRight(key, "0123456789")
	digits := key[len(word):]
	if iso, ok := strings.CutPrefix(digits, "8859"); ok {
		n, err := strconv.Atoi(iso)
		if err != nil {
			return nil
		}
		return ByCodePage(28590 + n)
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return nil
	}
	switch strings.TrimPrefix(word, "x") {
	case "", "cp", "cpibm", "csibm", "ccsid", "codepage", "dos", "ibm", "ms", "win", "windows":
		return ByCodePage(n)
	}
	return nil
}

// ByCodePage is the encoding of a code page as Windows and IBM number them, nil when it is not
// known. In those of EBCDIC letters with accents may be wrong: all are read as number 1140.
func ByCodePage(n int) encoding.Encoding {
	if e := codePages[n]; e != nil {
		return withControls(e)
	}
	if ebcdicPages[n] {
		return ebcdic
	}
	return nil
}

// withControls is the encoding with what the library does not know of octets.
func withControls(e encoding.Encoding) encoding.Encoding {
	if one, ok := e.(*charmap.Charmap); ok {
		return octets{one}
	}
	return e
}

// named are names by their letters and digits, where the libraries know none, or another encoding
// than mail means.
var named = map[string]encoding.Encoding{
	"utf8": lenient, "u8": lenient, "utf8mb4": lenient, "utf8n": lenient, "xutf8j": lenient,
	"unicode11utf8": lenient, "unicode20utf8": lenient, "cesu8": lenient,
	"cp65001": lenient, "usascii": lenient, "ascii": lenient, "us": lenient, "ansix341968": lenient,
	"ansix341986": lenient, "iso646us": lenient, "646": lenient, "isoir6": lenient, "csascii": lenient,
	"unknown8bit": lenient, "xunknown": lenient, "unknown": lenient, "default": lenient, "none": lenient,
	"binary": lenient, "8bit": lenient, "7bit": lenient, "utf": lenient,
	"utf7": utf7, "u7": utf7, "unicode11utf7": utf7, "csutf7": utf7, "xunicode11utf7": utf7,
	"csunicode11utf7": utf7, "unicode20utf7": utf7, "xunicode20utf7": utf7,

	// Without a byte order RFC 2781 section 4.3 has the big end first, browsers and Windows the
	// other.
	"utf16": utf16LE, "u16": utf16LE, "unicode": utf16LE, "csunicode": utf16LE, "ucs2": utf16LE,
	"iso10646": utf16LE, "iso10646ucs2": utf16LE, "csutf16": utf16LE, "utf16le": utf16LE,
	"utf16be": utf16BE, "ucs2be": utf16BE, "unicodebig": utf16BE, "unicodefffe": utf16BE,
	"unicodefeff": utf16LE, "unicodelittle": utf16LE, "ucs2le": utf16LE, "iso10646utf16": utf16LE,
	"utf32": utf32LE, "u32": utf32LE, "ucs4": utf32LE, "csucs4": utf32LE, "iso10646ucs4": utf32LE,
	"utf32le": utf32LE, "ucs4le": utf32LE, "utf32be": utf32BE, "ucs4be": utf32BE,

	"iso2022jp": iso2022JP, "csiso2022jp": iso2022JP, "iso2022jp1": iso2022JP,
	"iso2022jp2": iso2022JP, "csiso2022jp2": iso2022JP, "iso2022jpms": iso2022JP,
	"iso2022jpext": iso2022JP, "jis": iso2022JP, "jis7": iso2022JP, "junet": iso2022JP,
	"iso2022kr": iso2022KR, "csiso2022kr": iso2022KR,
	"iso2022cn": iso2022CN, "iso2022cnext": iso2022CN, "csiso2022cn": iso2022CN,
	"hz": simplifiedchinese.HZGB2312, "hzgb": simplifiedchinese.HZGB2312,
	"hzgb2312": simplifiedchinese.HZGB2312, "xhz": simplifiedchinese.HZGB2312,

	"big5hkscs": traditionalchinese.Big5, "hkscs": traditionalchinese.Big5,
	"big5tw": traditionalchinese.Big5, "bigfive": traditionalchinese.Big5, "big5eten": traditionalchinese.Big5,
	"gb18030": simplifiedchinese.GB18030, "gb180302000": simplifiedchinese.GB18030,
	"euccn": simplifiedchinese.GBK, "eucgb2312cn": simplifiedchinese.GBK, "gb23121980": simplifiedchinese.GBK,
	"cngb": simplifiedchinese.GBK, "gb": simplifiedchinese.GBK, "eucgb": simplifiedchinese.GBK,
	"euckr": korean.EUCKR, "uhc": korean.EUCKR, "xuhc": korean.EUCKR, "ksx1001": korean.EUCKR,
	"ksc56011989": korean.EUCKR, "ksc56011992": korean.EUCKR, "xks": korean.EUCKR,
	"eucjp": japanese.EUCJP, "ujis": japanese.EUCJP, "xeuc": japanese.EUCJP, "eucjpms": japanese.EUCJP,
	"sjis": japanese.ShiftJIS, "mskanji": japanese.ShiftJIS, "xsjisjp": japanese.ShiftJIS,
	"tis620": charmap.Windows874, "thai": charmap.Windows874, "latin9": charmap.ISO8859_15,
	"macroman": charmap.Macintosh, "mac": charmap.Macintosh, "maccyrillic": charmap.MacintoshCyrillic,
	"macukrainian": charmap.MacintoshCyrillic, "koi8u": charmap.KOI8U, "koi8ru": charmap.KOI8U,
	"iso88598i": charmap.ISO8859_8, "csiso88598i": charmap.ISO8859_8, "logical": charmap.ISO8859_8,
	"iso88598e": charmap.ISO8859_8, "csiso88598e": charmap.ISO8859_8,
	"iso88596i": charmap.ISO8859_6, "csiso88596i": charmap.ISO8859_6,
	"iso88596e": charmap.ISO8859_6, "csiso88596e": charmap.ISO8859_6,
}
