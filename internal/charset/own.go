package charset

import (
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// own is an encoding that is not of a library.
type own struct{ decoder func() transform.Transformer }

// NewDecoder implements encoding.Encoding.
func (o *own) NewDecoder() *encoding.Decoder { return &encoding.Decoder{Transformer: o.decoder()} }

// NewEncoder implements encoding.Encoding: nobody encodes.
func (*own) NewEncoder() *encoding.Encoder { return encoding.Nop.NewEncoder() }

// octets is an encoding of an octet a character. Octets from 0x80 to 0x9f that mean nothing are
// controls, as browsers have it, and show nothing; the library makes U+FFFD of them.
type octets struct{ *charmap.Charmap }

// NewDecoder implements encoding.Encoding.
func (o octets) NewDecoder() *encoding.Decoder {
	return &encoding.Decoder{Transformer: octetDecoder{octets: o}}
}

func (o octets) char(c byte) rune {
	r := o.DecodeByte(c)
	if r == utf8.RuneError && c < 0xa0 {
		r = rune(c)
	}
	return r
}

type octetDecoder struct {
	transform.NopResetter
	octets
}

// Transform implements transform.Transformer.
func (d octetDecoder) Transform(dst, src []byte, _ bool) (nDst, nSrc int, err error) {
	for _, c := range src {
		if nDst+utf8.UTFMax > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], d.char(c))
		nSrc++
	}
	return nDst, nSrc, nil
}

var (
	lenient encoding.Encoding = &own{func() transform.Transformer { return lenientUTF8{} }}
	utf7    encoding.Encoding = &own{func() transform.Transformer { return &utf7Decoder{} }}

	iso2022JP encoding.Encoding = &own{func() transform.Transformer { return newISO2022(nil) }}
	iso2022KR encoding.Encoding = &own{func() transform.Transformer { return newISO2022(ksc5601) }}
	iso2022CN encoding.Encoding = &own{func() transform.Transformer { return newISO2022(gb2312) }}

	utf16LE = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	utf16BE = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	utf32LE = utf32.UTF32(utf32.LittleEndian, utf32.UseBOM)
	utf32BE = utf32.UTF32(utf32.BigEndian, utf32.UseBOM)

	ebcdic encoding.Encoding = octets{charmap.CodePage1140}
)
