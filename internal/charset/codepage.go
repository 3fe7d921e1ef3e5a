package charset

import (
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// codePages are code pages by number: those of Windows (learn.microsoft.com, "Code Page
// Identifiers"), those of IBM below 1200.
var codePages = map[int]encoding.Encoding{
	437: charmap.CodePage437, 850: charmap.CodePage850, 852: charmap.CodePage852,
	855: charmap.CodePage855, 858: charmap.CodePage858, 860: charmap.CodePage860,
	862: charmap.CodePage862, 863: charmap.CodePage863, 865: charmap.CodePage865,
	866: charmap.CodePage866, 874: charmap.Windows874,
	932: japanese.ShiftJIS, 943: japanese.ShiftJIS, 936: simplifiedchinese.GBK, 1386: simplifiedchinese.GBK,
	949: korean.EUCKR, 970: korean.EUCKR, 1363: korean.EUCKR, 950: traditionalchinese.Big5, 951: traditionalchinese.Big5,
	1047: charmap.CodePage1047,
	1200: utf16LE, 1201: utf16BE, 12000: utf32LE, 12001: utf32BE, 65000: utf7, 65001: lenient,
	1250: charmap.Windows1250, 1251: charmap.Windows1251, 1252: charmap.Windows1252,
	1253: charmap.Windows1253, 1254: charmap.Windows1254, 1255: charmap.Windows1255,
	1256: charmap.Windows1256, 1257: charmap.Windows1257, 1258: charmap.Windows1258,
	10000: charmap.Macintosh, 10007: charmap.MacintoshCyrillic, 10017: charmap.MacintoshCyrillic,
	10001: japanese.ShiftJIS, 10002: traditionalchinese.Big5, 10003: korean.EUCKR, 10008: simplifiedchinese.GBK,
	20127: lenient, 20866: charmap.KOI8R, 878: charmap.KOI8R, 21866: charmap.KOI8U, 1168: charmap.KOI8U,
	20932: japanese.EUCJP, 51932: japanese.EUCJP, 20936: simplifiedchinese.GBK, 51936: simplifiedchinese.GBK,
	20949: korean.EUCKR, 51949: korean.EUCKR, 52936: simplifiedchinese.HZGB2312, 54936: simplifiedchinese.GB18030,
	50220: iso2022JP, 50221: iso2022JP, 50222: iso2022JP, 50225: iso2022KR, 50227: iso2022CN, 50229: iso2022CN,
	28591: charmap.Windows1252, 28592: charmap.ISO8859_2, 28593: charmap.ISO8859_3,
	28594: charmap.ISO8859_4, 28595: charmap.ISO8859_5, 28596: charmap.ISO8859_6,
	28597: charmap.ISO8859_7, 28598: charmap.ISO8859_8, 28599: charmap.Windows1254,
	28600: charmap.ISO8859_10, 28601: charmap.Windows874, 28603: charmap.ISO8859_13,
	28604: charmap.ISO8859_14, 28605: charmap.ISO8859_15, 28606: charmap.ISO8859_16, 38598: charmap.ISO8859_8,
	813: charmap.ISO8859_7, 819: charmap.Windows1252, 912: charmap.ISO8859_2, 915: charmap.ISO8859_5,
	916: charmap.ISO8859_8, 920: charmap.Windows1254, 923: charmap.ISO8859_15, 367: lenient,
}

// ebcdicPages are the numbers of EBCDIC pages in glibc's iconv and on Windows: in all of them the
// letters A to Z and the digits are where page 1140 has them.
var ebcdicPages = func() map[int]bool {
	pages := map[int]bool{}
	for _, n := range []int{
		37, 38, 273, 274, 275, 277, 278, 280, 281, 282, 284, 285, 290, 297, 420, 423, 424, 500, 803, 833, 870,
		871, 875, 880, 905, 918, 924, 930, 933, 935, 937, 939, 1025, 1026, 1070, 1079, 1081, 1084, 1097, 1112,
		1122, 1123, 1130, 1132, 1137, 1140, 1141, 1142, 1143, 1144, 1145, 1146, 1147, 1148, 1149, 1153, 1154,
		1155, 1156, 1157, 1158, 1160, 1164, 1166, 1364, 1371, 1388, 1390, 1399, 4517, 4899, 4971, 5123, 9030,
		12712, 16804, 20273, 20277, 20278, 20280, 20284, 20285, 20290, 20297, 20420, 20423, 20424, 20833, 20838,
		20871, 20880, 20905, 20924, 21025,
	} {
		pages[n] = true
	}
	return pages
}()
