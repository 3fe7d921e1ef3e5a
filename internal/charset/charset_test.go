package charset

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/japanese"
)

// TestLenientUTF8 decodes text that grows, so that it ends anywhere in the buffers.
func TestLenientUTF8(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"\xe4bcdefghijk", "äbcdefghijk"},
		{"ab\x80", "ab€"},
		{"ä\xe4", "ää"},
	} {
		r := Reader("", bufio.NewReader(strings.NewReader(strings.Repeat(c.in, 5000))), false)
		if got, err := io.ReadAll(r); err != nil || string(got) != strings.Repeat(c.out, 5000) {
			t.Errorf("%q: %d octets, %v", c.in, len(got), err)
		}
	}
}

const (
	koreanText   = "비밀 제안 offer"
	chineseText  = "秘密 offer 中文"
	japaneseText = "秘密 offer 提案"
)

// TestHonest decodes samples that glibc's iconv (hz: Python) has encoded.
func TestHonest(t *testing.T) {
	for _, c := range []struct{ label, octets, text string }{
		{"iso-2022-kr", "\x1b$)C\x0e:q9P\x0f \x0eA&>H\x0f offer", koreanText},
		{"csISO2022KR", "\x0e:q9P\x0f \x0eA&>H\x0f offer", koreanText},
		{"euc-kr", "\xba\xf1\xb9\xd0 \xc1\xa6\xbe\xc8 offer", koreanText},
		{"ks_c_5601-1987", "\xba\xf1\xb9\xd0 \xc1\xa6\xbe\xc8 offer", koreanText},
		{"cp949", "\xba\xf1\xb9\xd0 \xc1\xa6\xbe\xc8 offer", koreanText},
		{"utf-16", "\xff\xfeD\xbe\x00\xbc \x00\x1c\xc8H\xc5 \x00o\x00f\x00f\x00e\x00r\x00", "\ufeff" + koreanText},
		{"utf-16le", "D\xbe\x00\xbc \x00\x1c\xc8H\xc5 \x00o\x00f\x00f\x00e\x00r\x00", koreanText},
		{"utf-7", "+vkS8AA +yBzFSA offer", koreanText},
		{"iso-2022-cn", "\x1b$)A\x0eCXC\\\x0f offer \x0eVPND\x0f", chineseText},
		{"iso-2022-cn-ext", "\x1b$)A\x0eCXC\\\x0f offer \x0eVPND\x0f", chineseText},
		{"hz-gb-2312", "~{CXC\\~} offer ~{VPND~}", chineseText},
		{"HZ", "~{CXC\\~} offer ~{VPND~}", chineseText},
		{"gb2312", "\xc3\xd8\xc3\xdc offer \xd6\xd0\xce\xc4", chineseText},
		{"x-gbk", "\xc3\xd8\xc3\xdc offer \xd6\xd0\xce\xc4", chineseText},
		{"gb18030", "\xc3\xd8\xc3\xdc offer \xd6\xd0\xce\xc4", chineseText},
		{"big5", "\xaf\xb5\xb1K offer \xa4\xa4\xa4\xe5", chineseText},
		{"big5-hkscs", "\xaf\xb5\xb1K offer \xa4\xa4\xa4\xe5", chineseText},
		{"utf-16be", "y\xd8[\xc6\x00 \x00o\x00f\x00f\x00e\x00r\x00 N-e\x87", chineseText},
		{"unicode-1-1-utf-7", "+edhbxg offer +Ti1lhw-", chineseText},
		{"iso-2022-jp", "\x1b$BHkL)\x1b(B offer \x1b$BDs0F\x1b(B", japaneseText},
		{"iso-2022-jp-2", "\x1b$BHkL)\x1b(B offer \x1b$BDs0F\x1b(B", japaneseText},
		{"iso-2022-jp-2", "\x1b$BHkL)\x1b(B \x1b$A>F\x1b$(C9P\x1b.A\x1bNd", "秘密 酒밀ä"},
		{"iso-2022-jp", "\x1b(IC=D\x1b(B", "ﾃｽﾄ"},
		{"euc-jp", "\xc8\xeb\xcc\xa9 offer \xc4\xf3\xb0\xc6", japaneseText},
		{"shift_jis", "\x94\xe9\x96\xa7 offer \x92\xf1\x88\xc4", japaneseText},
		{"windows-31j", "\x94\xe9\x96\xa7 offer \x92\xf1\x88\xc4", japaneseText},
		{"utf-8", japaneseText, japaneseText},
		{"x-unknown", japaneseText, japaneseText},
		{"no-such-thing", "J\xfcrgen", "Jürgen"},
		{"iso-8859-1", "J\xfcrgen\x92s", "Jürgen’s"},
		{"utf-8*en", "J\xc3\xbcrgen", "Jürgen"},
		{`"windows-1251"`, "\xcf\xf0\xe8", "При"},
		{"win-1251", "\xcf\xf0\xe8", "При"},
		{"cp_1251", "\xcf\xf0\xe8", "При"},
		{"ISO8859_5", "\xbf\xe0\xd8", "При"},
		{"iso-8859-2", "sec\x84ret", "sec\u0084ret"},
		{"iso-8859-8-i", "sec\x84ret", "sec\u0084ret"},
		{"windows-1252", "sec\x81ret", "sec\u0081ret"},
		{"windows-1253", "sec\x81ret\xff", "sec\u0081ret\ufffd"},
		{"", "sec\x81ret", "sec\u0081ret"},
		{"ibm037", "\xa2\x85\x83\x99\x85\xa3", "secret"},
		{"cp500", "\xa2\x85\x83\x99\x85\xa3", "secret"},
		{"ebcdic-cp-de", "\xa2\x85\x83\x99\x85\xa3", "secret"},
		{"utf-32be", "\x00\x00\x00a\x00\x01\xf6\x00", "a😀"},
		{"utf-7", "a+2D3eAA-b +- +AGE-", "a😀b + a"},
	} {
		t.Run(c.label, func(t *testing.T) {
			for how, in := range map[string]io.Reader{
				"at once":        strings.NewReader(c.octets),
				"octet by octet": iotest.OneByteReader(strings.NewReader(c.octets)),
			} {
				got, err := io.ReadAll(Reader(c.label, bufio.NewReader(in), false))
				if err != nil || strings.TrimPrefix(string(got), "\ufeff") != strings.TrimPrefix(c.text, "\ufeff") {
					t.Errorf("%s: %q, %v, want %q", how, got, err, c.text)
				}
			}
			if got := Decode(c.label, c.octets); strings.TrimPrefix(got, "\ufeff") != strings.TrimPrefix(c.text, "\ufeff") {
				t.Errorf("%q, want %q", got, c.text)
			}
		})
	}
}

// TestReadings: what programs read in more than one way.
func TestReadings(t *testing.T) {
	long := strings.Repeat("x", 600)
	for _, c := range []struct {
		name, label, octets string
		want                []string
	}{
		{"UTF-8", "utf-8", "ä", []string{"ä"}},
		{"iso-2022-jp", "iso-2022-jp", "\x1b$BHkL)\x1b(B", []string{"秘密"}},
		{"ASCII as UTF-16", "utf-16le", "secret offer now", []string{"secret offer now", "敳牣瑥漠晦牥渠睯"}},
		{"not quite ASCII as UTF-16", "ucs-2le", "\xa0secret offer n", []string{"玠捥敲⁴景敦⁲\ufffd", "\u00a0secret offer n"}},
		{"UTF-16 without its order", "utf-16", "\x00s", []string{"猀", "s", "\x00s"}},
		{"ASCII as EBCDIC", "cp037", "secret offer now", []string{"secret offer now", "ËÁÄÊÁÈ\u0080?ÃÃÁÊ\u0080>?Ï"}},
		{"ASCII as iso-2022-kr", "iso-2022-kr", "\x0esecret offer", []string{"", "\x0esecret offer"}},
		{"hz", "hz", "~{VPND", []string{"中文", "~{VPND"}},
		{"UTF-7", "utf-7", "a +AGE-", []string{"a a", "a +AGE-"}},
		{"UTF-8 as Big5", "big5", "秘密 offer", []string{"", "秘密 offer"}},
		{"UTF-8 as GBK, cut in the head", "gbk", "秘密" + long + "ä" + long, []string{"", "秘密" + long + "ä" + long}},
		{"a mark of UTF-16 in UTF-8", "utf-8", "\xff\xfes\x00", []string{"s", "ÿþs\x00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := DecodeAll(c.label, c.octets)
			if len(got) != len(c.want) {
				t.Fatalf("%q, want %q", got, c.want)
			}
			for i, want := range c.want {
				if one := DecodeAll(Nth(c.label, i), c.octets); len(one) != 1 || one[0] != got[i] {
					t.Errorf("%d: %q", i, one)
				}
				if want != "" && strings.TrimPrefix(got[i], "\ufeff") != want {
					t.Errorf("%q, want %q", got[i], want)
				}
			}
		})
	}
}

// TestHTML reads what HTML declares itself.
func TestHTML(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "<p>J\xfcrgen", "<p>Jürgen"},
		{"declared", "<meta charset=windows-1251><p>\xcf\xf0\xe8", "<meta charset=windows-1251><p>При"},
		{"what browsers refuse", "<meta charset='iso-2022-kr'>\x1b$)C\x0e:q9P\x0f", "<meta charset='iso-2022-kr'>비밀"},
		{"by http-equiv", `<meta http-equiv=Content-Type content="text/html; charset=hz-gb-2312">~{VPND~}`, `<meta http-equiv=Content-Type content="text/html; charset=hz-gb-2312">中文`},
		{"a bare word", "<meta charset=replacement", "<meta charset=replacement"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := io.ReadAll(Reader("", bufio.NewReader(strings.NewReader(c.in)), true)); err != nil || string(got) != c.want {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// TestNth: a sender may write what looks like the label of a reading.
func TestNth(t *testing.T) {
	for label, want := range map[string]string{"hz#0": "中", "hz#1": "~{VP", "hz#7": "~{VP", "hz#-1": "中", "hz#": "中", "#1": "~{VP"} {
		if got := Decode(label, "~{VP"); got != want {
			t.Errorf("%q: %q, want %q", label, got, want)
		}
	}
}

func TestCodePages(t *testing.T) {
	for n, want := range map[int]string{1251: "При", 932: "ﾏ", 1252: "Ïðè", 65001: "Ïðè", 437: "╧≡Φ"} {
		e := ByCodePage(n)
		got, err := e.NewDecoder().String("\xcf\xf0\xe8")
		if err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%d: %q, %v", n, got, err)
		}
	}
	if ByCodePage(500) != ebcdic || ByCodePage(4711) != nil {
		t.Error("unknown pages")
	}
}

// FuzzReadings: every text has readings, they are UTF-8 and the same however it comes.
func FuzzReadings(f *testing.F) {
	for _, label := range []string{"utf-7", "iso-2022-kr", "iso-2022-cn", "hz", "utf-16", "cp500", "big5", ""} {
		f.Add(label, "\x1b$)C\x0e:q9P\x0f +2D3eAA- ~{VPND~} \xc3\xd8 s\x00")
	}
	f.Fuzz(func(t *testing.T, label, octets string) {
		all := DecodeAll(label, octets)
		if len(all) == 0 || slices.ContainsFunc(all, func(s string) bool { return strings.ToValidUTF8(s, "") != s }) {
			t.Errorf("%q", all)
		}
		r := bufio.NewReader(iotest.OneByteReader(strings.NewReader(octets)))
		if got, err := io.ReadAll(Reader(label, r, false)); err != nil || string(got) != all[0] {
			t.Errorf("%q, %v, want %q", got, err, all[0])
		}
	})
}

// TestISO2022 holds our decoder against the library's over all characters of Japanese.
func TestISO2022(t *testing.T) {
	for _, set := range []string{"\x1b$B", "\x1b$@", "\x1b$(D", "\x1b(I"} {
		for row := byte('!'); row <= '~'; row++ {
			text := set
			for cell := byte('!'); cell <= '~'; cell++ {
				text += string([]byte{row, cell})
			}
			text += "\x1b(B\n"
			want, err := japanese.ISO2022JP.NewDecoder().String(text)
			if got := Decode("iso-2022-jp", text); err != nil || got != want {
				t.Errorf("%q: %q, want %q, %v", text, got, want, err)
			}
		}
	}
}
