package content

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
)

// messageMaker makes messages as careless or hostile senders do.
type messageMaker struct {
	*rand.Rand
	names, tokens int
	faults        int // still to be made
}

// generateMessage makes one; the same for the same seed.
func generateMessage(seed uint64) string {
	g := &messageMaker{Rand: rand.New(rand.NewPCG(seed, 99))}
	g.faults = 1 + g.IntN(3)
	return "From: a@example.net\nSubject: x\nMIME-Version: 1.0\n" + g.multipart("bound", 0)
}

func (g *messageMaker) pick(list ...string) string { return list[g.IntN(len(list))] }

// fault picks the first of a list, or now and then another one.
func (g *messageMaker) fault(list ...string) string {
	if g.faults > 0 && g.IntN(6) == 0 {
		g.faults--
		return g.pick(list[1:]...)
	}
	return list[0]
}

func (g *messageMaker) multipart(boundary string, depth int) string {
	kind := g.fault("multipart/mixed", "multipart / mixed", "\"multipart/mixed\"", "Multipart/Mixed", "multipart/alternative", "multipart/x-unknown", "multipart/digest")
	separator := g.separator()
	if depth == 0 && strings.Contains(separator, "\n") {
		separator = "; " // an MTA ends the header of the message at a line that is none
	}
	header := "Content-Type: " + kind + separator + g.fault(
		"boundary=\""+boundary+"\"", "boundary="+boundary, "boundary=\""+boundary+"\" x", "boundary="+boundary+" x",
		"boundary="+boundary+"; boundary=other", "boundary=other; boundary="+boundary, "BOUNDARY="+boundary, "boundary = \""+boundary+"\"",
		"boundary=\""+boundary, "boundary=\""+boundary+" \"", "boundary=\""+boundary[:3]+"\\"+boundary[3:]+"\"", "boundary*=us-ascii''"+boundary,
		"boundary*0="+boundary[:2]+"; boundary*1="+boundary[2:], "boundary='"+boundary+"'", "boundary=3D\""+boundary+"\"", "x=y", "", "boundary=\"\"",
		"boundary="+boundary+", x=y", "x=\"a;b\"; boundary="+boundary, "boundary=(c)"+boundary, "boundary=\""+boundary+"\"; charset=x"+strings.Repeat("; a=b", 70),
		strings.Repeat("a=b; ", 70)+"boundary=\""+boundary+"\"",
	) + "\n"
	var b strings.Builder
	b.WriteString(header + "\n")
	b.WriteString(g.fault("", "hello\n", "--other\n", "-- \n", "\n", g.token()+"\n"))
	part := func() {
		b.WriteString("--" + boundary + g.fault("", " ", "\t", "x", "--x", " x") + "\n")
		if depth < 2 && g.IntN(6) == 0 {
			b.WriteString(g.multipart(g.fault("inner", boundary+"x", boundary, "x"+boundary), depth+1))
		} else {
			b.WriteString(g.part())
		}
	}
	for range 1 + g.IntN(3) {
		part()
	}
	b.WriteString(g.fault("--"+boundary+"--\n", "", "--"+boundary+"--x\n", "--"+boundary+"\n", "--"+boundary+"-- \n"))
	if g.fault("", "x") != "" {
		part()
	}
	return b.String()
}

func (g *messageMaker) separator() string {
	return g.fault("; ", ";", " ", ", ", ";;", "; ;", ";\n ", ";\n\t", ";\n", " ; ", "; (c) ", ";\n \n ", "\n ;")
}

func (g *messageMaker) token() string {
	g.tokens++
	return fmt.Sprintf("tok%dz", g.tokens)
}

func (g *messageMaker) name() string {
	g.names++
	return fmt.Sprintf("n%dx.%s", g.names, g.pick("exe", "scr", "txt", "pdf", "js"))
}

// part is one of one text.
func (g *messageMaker) part() string {
	encoding := g.pick("7bit", "base64", "quoted-printable")
	mediaType := g.pick("text/plain", "text/html", "application/octet-stream", "application/octet-stream")
	var lines []string
	field := func(name, value string) {
		lines = append(lines, name+g.fault(": ", ":", " : ", ":\n ", ":\t")+value)
	}
	typed := g.fault(mediaType, mediaType+" charset=utf-8", "\""+mediaType+"\"", strings.Replace(mediaType, "/", " / ", 1), mediaType+";", strings.ToUpper(mediaType), mediaType+" (c)", "")
	if g.IntN(2) == 0 {
		typed += g.params("name")
	}
	field("Content-Type", typed)
	if g.fault("", "x") != "" {
		field("Content-Type", mediaType+g.params("name"))
	}
	if g.IntN(3) > 0 {
		field("Content-Disposition", g.fault(g.pick("attachment", "inline"), "", "ATTACHMENT", "\"attachment\"", "attachment (c)", "x")+g.params("filename"))
		if g.fault("", "x") != "" {
			field("Content-Disposition", "attachment"+g.params("filename"))
		}
	}
	if encoding != "7bit" || g.IntN(2) == 0 {
		field("Content-Transfer-Encoding", g.fault(encoding, strings.ToUpper(encoding), encoding+";", encoding+" (c)", encoding+" "))
	}
	for range g.IntN(3) {
		i, j := g.IntN(len(lines)), g.IntN(len(lines))
		lines[i], lines[j] = lines[j], lines[i]
	}
	if odd := g.fault("", "some words", ">From x", ": x", "From x", " ", "\t", "Some Words: x", "x=y", "X-Foo : bar", " x", "tok0z", "=?utf-8?q?x?="); odd != "" {
		lines = append(lines[:g.IntN(len(lines)+1)], append([]string{odd}, lines[min(g.IntN(len(lines)+1), len(lines)):]...)...)
	}
	text := g.token() + "\n" + g.token() + "\n"
	if mediaType == "text/html" {
		text = "<p>" + strings.ReplaceAll(text, "\n", "<br>\n")
	}
	switch encoding {
	case "base64":
		text = b64(text) + "\n"
	case "quoted-printable":
		text = strings.ReplaceAll(text, "o", "=6F")
	}
	return strings.Join(lines, "\n") + g.fault("\n\n", "\n \n", "\n") + text
}

// params are up to three parameters of one name.
func (g *messageMaker) params(key string) string {
	var b strings.Builder
	for range 1 + g.IntN(4)/2 {
		b.WriteString(g.separator() + g.param(key))
	}
	return b.String()
}

func (g *messageMaker) param(key string) string {
	name := g.name()
	stem, ext, _ := strings.Cut(name, ".")
	key = g.fault(key, strings.ToUpper(key), key+" ", "file"+key, "x-"+key, "\""+key+"\"")
	escaped := url.PathEscape(name)
	switch g.IntN(10) {
	case 0:
		return key + "*=" + g.fault("utf-8''"+escaped, escaped, "utf-8'"+escaped, "utf-8'en'"+stem+"%2e"+ext, "utf-8''"+stem+"%2e"+ext+"%", "utf-8''"+escaped+"%00.txt", "\"utf-8''"+escaped+"\"", "utf-8''%zz"+escaped)
	case 1:
		return g.fault(
			key+"*0=\""+stem+".\"; "+key+"*1=\""+ext+"\"", key+"*1="+ext+"; "+key+"*0="+stem+".", key+"*0*=utf-8''"+stem+"%2e; "+key+"*1="+ext,
			key+"*0="+stem+"."+ext+"; "+key+"*2=.txt", key+"*0="+stem+".; "+key+"*1="+ext+"; "+key+"*1=txt", key+"*00="+stem+"; "+key+"*01=."+ext,
			key+"*1="+stem+".; "+key+"*2="+ext, key+"*0*="+stem+"%2e; "+key+"*1*=ex%65", key+"*0="+stem+"."+ext+"; "+key+"="+g.name(),
		)
	}
	return key + "=" + g.fault(
		"\""+name+"\"", name, "\""+name+"\"x", "\""+name+"\" size=3", "3D\""+name+"\"", "\""+stem+".\\"+ext+"\"", "'"+name+"'", "\""+name, name+"\"",
		stem+" "+name, "\"=?utf-8?q?"+name+"?=\"", "=?utf-8?b?"+b64(name)+"?=", "\""+name+" \"", "\""+name+"\t\"", "\"./"+name+"\"", "\"C:\\d\\"+name+"\"", stem+"(c)."+ext,
		"\""+stem+"\"."+ext, "\""+stem+"\"\"."+ext+"\"", " \""+name+"\"", "(c)\""+name+"\"", "\""+stem+";."+ext+"\"", "\"\\\""+name+"\\\"\"", name+", x", "\""+name+".\"", "\""+stem+"\x01."+ext+"\"",
		"\"=?utf-8?q?"+name+"=00.txt?=\"", "\"=?utf-8?b?"+strings.TrimRight(b64(name), "=")+"?=\"",
	)
}
