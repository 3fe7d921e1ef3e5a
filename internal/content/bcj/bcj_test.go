package bcj

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"testing/iotest"
)

// TestReader undoes what a packer has made of CALLs: their targets, absolute in the packed program,
// become relative again. Whole programs that 7-Zip and xz have packed are tried in the
// examinations.
func TestReader(t *testing.T) {
	call := func(target uint32) []byte { return binary.LittleEndian.AppendUint32([]byte{0xe8}, target) }
	packed := bytes.Join([][]byte{call(0x1005), {0x90, 0x90}, call(0x1000), {0xe8, 0, 0, 0, 0x12, 'x', 0xe8}}, nil)
	want := bytes.Join([][]byte{call(0x1000), {0x90, 0x90}, call(0x0ff4), {0xe8, 0, 0, 0, 0x12, 'x', 0xe8}}, nil)
	for how, r := range map[string]io.Reader{
		"at once":        bytes.NewReader(packed),
		"octet by octet": iotest.OneByteReader(bytes.NewReader(packed)),
	} {
		if got, err := io.ReadAll(NewReader(r)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %v; want %x", how, got, err, want)
		}
	}
}
