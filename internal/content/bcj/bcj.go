// Package bcj undoes the filter for programs of x86 that 7-Zip and xz put before their packers
// (BCJ).
package bcj

import (
	"encoding/binary"
	"io"
)

// Reader gives the program as it was: the targets of CALL and JMP, relative in the program, were
// made absolute by the packer, because then the same target looks the same everywhere.
//
// An instruction is taken for one of those if its target is near, that is if its highest octet is 0
// or 255. What follows an opcode and was not taken can begin in its operand; mask remembers which
// of the three octets before were opcodes, since the packer went by that too.
type Reader struct {
	r     io.Reader
	buf   [4096]byte
	ready []byte // undone, and not given out
	rest  []byte // not undone, because the instruction's end has not come
	at    uint32 // offset of rest in the program
	mask  byte   // bit n: n+1 octets before rest, an opcode stood that was not taken
	err   error
}

// NewReader reads what a packer has changed.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

func (b *Reader) Read(p []byte) (int, error) {
	for len(b.ready) == 0 {
		if b.err != nil {
			if len(b.rest) == 0 {
				return 0, b.err
			}
			b.ready, b.rest = b.rest, nil // too short for an instruction
			break
		}
		kept := copy(b.buf[:], b.rest)
		n, err := b.r.Read(b.buf[kept:])
		b.err = err
		octets := b.buf[:kept+n]
		done := b.undo(octets)
		b.ready, b.rest = octets[:done], octets[done:]
	}
	n := copy(p, b.ready)
	b.ready = b.ready[n:]
	return n, nil
}

// instruction is the length of a CALL or JMP with its target.
const instruction = 5

// undo works in place and says how far it came.
func (b *Reader) undo(p []byte) int {
	i := 0
	for i+instruction <= len(p) {
		if p[i]&0xfe != 0xe8 {
			b.mask = b.mask << 1 & 7
			b.at++
			i++
			continue
		}
		if !b.taken(p[i:]) {
			b.mask = b.mask<<1&7 | 1
			b.at++
			i++
			continue
		}
		target := b.relative(binary.LittleEndian.Uint32(p[i+1:]))
		binary.LittleEndian.PutUint32(p[i+1:], target)
		b.mask = 0
		b.at += instruction
		i += instruction
	}
	return i
}

// taken says whether the packer has changed the instruction.
func (b *Reader) taken(p []byte) bool {
	if !near(p[4]) {
		return false
	}
	switch b.mask {
	case 0:
		return true
	case 1, 2, 4: // one opcode before
		return !near(p[4-b.opcode()])
	}
	return false
}

// opcode is how many octets before stands the opcode that was not taken, the farthest.
func (b *Reader) opcode() int { return [8]int{0, 1, 2, 2, 3, 3, 3, 3}[b.mask] }

// relative gives the target as it stood in the program.
func (b *Reader) relative(target uint32) uint32 {
	shift := 8 * b.opcode()
	result := target - (b.at + instruction)
	for range 32 { // more often no packer does it
		if b.mask == 0 || !near(byte(result>>(24-shift))) {
			break
		}
		result = (result ^ (1<<(32-shift) - 1)) - (b.at + instruction)
	}
	return result&0x01ffffff | -(result>>24&1)<<24
}

func near(octet byte) bool { return octet == 0 || octet == 0xff }
