package transfer

import "io"

// Branch is what another program makes of a part in base64, from where it parts with the likeliest
// reading.
type Branch struct {
	Before []byte // the last octets before that place, at most 4,096; valid until Fork returns
	Whole  bool   // there were no others
	AsItIs bool   // the text is not decoded, because it is not base64
}

// Base64Reader decodes a part by the first of its [Base64Readings].
type Base64Reader struct {
	// Fork begins another reading; what it returns takes the octets that follow, and nil at the
	// end. Nil if nobody wants to know. The octets are valid until it returns.
	Fork func(Branch) func(octets []byte)

	r     io.Reader
	state base64State
	in    [2048]byte
	out   []byte
	ready []byte
	cut   bool

	met      oddity // kinds of signs at which readings part that have come
	padded   bool
	unpadded base64State // before the first padding
	pads     []byte
	behind   int     // octets of the group that it ended
	text     history // as it came, up to the first sign
	octets   history // decoded
	branches []*branch
}

// NewBase64Reader decodes r.
func NewBase64Reader(r io.Reader) *Base64Reader { return &Base64Reader{r: r} }

// Cut says that the text ended inside a group of four: it was cut short.
func (b *Base64Reader) Cut() bool { return b.cut }

func (b *Base64Reader) Read(p []byte) (int, error) {
	for len(b.ready) == 0 {
		n, err := b.r.Read(b.in[:])
		b.out = b.out[:0]
		b.take(b.in[:n])
		if err != nil {
			b.cut = b.cut || b.state.have > 0
			if b.Fork != nil && b.state.have == 1 && b.met&(oddDash|oddSign) == 0 {
				b.begin(base64State{style: asItIs}, b.text.last, b.text.more)
			}
			b.out = b.state.end(b.out)
			b.end()
		}
		b.ready = b.out
		if err != nil && len(b.ready) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, b.ready)
	b.ready = b.ready[n:]
	return n, nil
}

// oddity is a kind of sign at which readings part.
type oddity uint8

const (
	oddPadding oddity = 1 << iota // text behind padding
	oddDash
	oddSign // one that no base64 has
	allOdd  = oddPadding | oddDash | oddSign
)

// plainBase64 are the signs at which no readings part.
var plainBase64 = func() (t [256]bool) {
	for c, v := range base64Value {
		t[c] = v < padding
	}
	t['\r'], t['\n'] = true, true
	return t
}()

// take decodes text in all readings.
func (b *Base64Reader) take(src []byte) {
	for b.Fork != nil && b.met != allOdd {
		i, odd := b.find(src)
		b.decode(src[:i])
		src = src[i:]
		if odd == 0 {
			return
		}
		b.part(odd)
	}
	b.decode(src)
}

// find is where readings part next: at the end of src if they do not.
func (b *Base64Reader) find(src []byte) (at int, odd oddity) {
	for i := 0; i < len(src); i++ {
		c := src[i]
		if plainBase64[c] {
			if b.padded && b.met&oddPadding == 0 && c != '\r' && c != '\n' {
				return i, oddPadding
			}
			continue
		}
		switch base64Value[c] {
		case padding:
			if !b.padded {
				return i, oddPadding
			}
			if len(b.pads) < 4 {
				b.pads = append(b.pads, c)
			}
		case dash:
			odd = oddDash
		default:
			odd = oddSign
		}
		if odd &^= b.met; odd != 0 {
			return i, odd
		}
	}
	return len(src), 0
}

// decode decodes text at which no readings part.
func (b *Base64Reader) decode(src []byte) {
	n := len(b.out)
	b.out = b.state.decode(b.out, src)
	if b.Fork == nil {
		return
	}
	if b.met&(oddDash|oddSign) == 0 {
		b.text.add(src)
	}
	b.octets.add(b.out[n:])
	if b.padded && b.met&oddPadding == 0 {
		b.behind += len(b.out) - n
	}
	for _, branch := range b.branches {
		branch.decode(src)
	}
}

// part begins the readings that part at a sign. At the first padding they part only if text
// follows.
func (b *Base64Reader) part(odd oddity) {
	if odd == oddPadding && !b.padded {
		b.padded, b.unpadded = true, b.state
		return
	}
	if odd != oddPadding && b.met&(oddDash|oddSign) == 0 {
		b.begin(base64State{style: asItIs}, b.text.last, b.text.more)
	}
	b.met |= odd
	octets := b.octets.last
	switch odd {
	case oddDash:
		state := b.state
		state.style = inURLs
		b.begin(state, octets, b.octets.more)
	case oddPadding:
		for _, style := range []base64Style{stops, stopsWhenFull, skips} {
			state := b.unpadded
			state.style = style
			b.begin(state, octets[:len(octets)-b.behind], b.octets.more).decode(b.pads)
		}
	}
}

func (b *Base64Reader) begin(state base64State, before []byte, more bool) *branch {
	take := b.Fork(Branch{Before: before, Whole: !more, AsItIs: state.style == asItIs})
	branch := &branch{state: state, to: take}
	b.branches = append(b.branches, branch)
	return branch
}

// end ends all readings.
func (b *Base64Reader) end() {
	for _, branch := range b.branches {
		branch.end()
	}
	b.branches = nil
}

// branch is a reading that has parted.
type branch struct {
	state base64State
	out   []byte
	to    func([]byte)
}

func (b *branch) decode(src []byte) {
	if b.state.style != asItIs {
		b.out = b.state.decode(b.out[:0], src)
		src = b.out
	}
	if len(src) > 0 {
		b.to(src)
	}
}

func (b *branch) end() {
	if b.out = b.state.end(b.out[:0]); len(b.out) > 0 {
		b.to(b.out)
	}
	b.to(nil)
}

// history is the last of what has come.
type history struct {
	last []byte
	more bool
}

const maxHistory = 4096

func (h *history) add(octets []byte) {
	h.last = append(h.last, octets...)
	if over := len(h.last) - maxHistory; over > 0 {
		h.more = true
		h.last = h.last[:copy(h.last, h.last[over:])]
	}
}
