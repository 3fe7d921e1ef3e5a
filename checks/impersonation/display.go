package impersonation

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"

	"mailweir/internal/address"
)

// claim is a name of ours that is shown, with what stands beside it.
type claim struct {
	people []*person
	shown  string  // the name as it stands there
	beside []piece // the other pieces of the text
	via    bool    // "via" stands behind the name
}

// maxClaims bounds the names of ours that are looked at in one header section.
const maxClaims = 200

var (
	errMany = errors.New("header From shows too many names of ours, and not all were looked at")
	errTime = errors.New("looking up all names that header From shows takes too long")
)

// claims finds names of ours among the texts that From fields show; see [address.From.Names]. The
// error says that there may be more: there are over [maxClaims], or the context has ended.
func (p *people) claims(ctx context.Context, texts iter.Seq[string]) (list []claim, err error) {
	for text := range texts {
		for mailbox := range strings.SplitSeq(asShown(text), ";") {
			for c := range p.claimsOf(ctx, mailbox) {
				if len(list) == maxClaims {
					return list, errMany
				}
				list = append(list, c)
			}
			if ctx.Err() != nil {
				return list, errTime
			}
		}
	}
	return list, nil
}

// claimsOf finds them in what is shown of one mailbox: as the whole of it, or as a piece.
func (p *people) claimsOf(ctx context.Context, mailbox string) iter.Seq[claim] {
	return func(yield func(claim) bool) {
		if !strings.ContainsRune(mailbox, '@') {
			if found := p.find(mailbox); found != nil {
				yield(claim{people: found, shown: strings.TrimSpace(mailbox)})
				return
			}
		}
		pieces := split(mailbox)
		for i, one := range pieces {
			if ctx.Err() != nil {
				return
			}
			found, n := p.find(one.text), 1
			if found == nil && one.comma && i+1 < len(pieces) { // Doe, Jane, Acme
				found, n = p.find(one.text+" "+pieces[i+1].text), 2
			}
			if found != nil && !yield(claim{
				people: found, shown: one.text, beside: slices.Concat(pieces[:i], pieces[i+n:]), via: pieces[i+n-1].via,
			}) {
				return
			}
		}
	}
}

// piece is a part of a text between separators.
type piece struct {
	text       string
	comma, via bool // a comma, or the word "via", is what ends it
}

// split takes a text apart at brackets, commas, semicolons, colons and line ends, at the word
// "via", and at dashes, strokes and dots with a blank at one side. Words with an "@" are left out.
func split(text string) (pieces []piece) {
	var words []string
	end := func(comma, via bool) {
		if len(words) > 0 {
			pieces = append(pieces, piece{strings.Join(words, " "), comma, via})
		}
		words = nil
	}
	for word := range strings.FieldsSeq(spaced(text)) {
		r, n := utf8.DecodeRuneInString(word)
		switch {
		case n == len(word) && separates(r):
			end(r == ',', false)
		case strings.EqualFold(word, "via"):
			if len(words) == 0 && len(pieces) > 0 { // Jane Doe (via Docs)
				pieces[len(pieces)-1].via = true
			}
			end(false, true)
		case !strings.ContainsRune(word, '@') || n == len(word):
			if word = strings.Trim(word, "|/-–—•·~*_"); word != "" {
				words = append(words, word)
			}
		}
	}
	end(false, false)
	return pieces
}

// spaced puts blanks around what always separates.
func spaced(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("()[]{}<>,;:\"\r\n«»„“”", r) {
			b.WriteByte(' ')
			b.WriteRune(r)
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// separates reports whether a word of this one character separates.
func separates(r rune) bool { return !unicode.In(r, unicode.L, unicode.N, unicode.M) }

// disclosed reports whether what is shown beside the name says itself whose the address is: it has
// the name of the organisation whose domain that is, as in "Jane Doe via DocuSign" of docusign.net;
// or, behind "via", the name of the mailing list that the message comes from. The names of
// recipients' own organisations disclose nothing.
func (c claim) disclosed(a address.Address, with surroundings) bool {
	name := organisation(a.Domain)
	if len(c.beside) == 0 || isFreeMailer(registered(a.Domain)) {
		return false
	}
	if slices.ContainsFunc(with.ours, func(our string) bool { return strings.Contains(name, our) }) {
		return false
	}
	var told []string
	for _, one := range c.beside {
		told = append(told, words(one.text, false)...)
	}
	whole := strings.Join(told, "")
	if len(name) >= 3 && (whole == name || slices.Contains(told, name)) {
		return true
	}
	return c.via && with.list && whole == joined(a.Local)
}

// organisation is the label of a domain that its owner has registered, in the form of words.
func organisation(domain string) string {
	label, _, _ := strings.Cut(address.UnicodeDomain(registered(domain)), ".")
	return joined(label)
}

// registered is the part of a domain that its owner has registered.
func registered(domain string) string {
	if registered, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return registered
	}
	return domain
}

func joined(text string) string { return strings.Join(words(asShown(text), false), "") }

// isFreeMailer knows domains under which everybody can have an address: what stands beside a name
// tells nothing there.
func isFreeMailer(domain string) bool {
	for mailer := range strings.FieldsSeq(freeMailers) {
		if domain == mailer {
			return true
		}
	}
	return false
}

const freeMailers = `gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com aol.com icloud.com me.com mac.com
	proton.me protonmail.com pm.me gmx.com gmx.de gmx.net gmx.at gmx.ch web.de t-online.de freenet.de posteo.de mailbox.org tutanota.com
	tuta.io mail.com mail.ru yandex.ru yandex.com rambler.ru bk.ru list.ru inbox.ru zoho.com fastmail.com hushmail.com laposte.net
	orange.fr free.fr sfr.fr wanadoo.fr libero.it virgilio.it tiscali.it wp.pl o2.pl onet.pl interia.pl seznam.cz centrum.cz
	qq.com 163.com 126.com sina.com naver.com hanmail.net daum.net rediffmail.com uol.com.br bol.com.br terra.com.br hotmail.co.uk
	hotmail.de hotmail.fr hotmail.it outlook.de outlook.fr yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.co.uk yahoo.co.jp yahoo.co.in yahoo.com.br
	btinternet.com comcast.net verizon.net att.net sbcglobal.net cox.net bellsouth.net earthlink.net`
