package charset

import (
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

	ebcdic encoding.Encoding = charmap.CodePage1140
)
