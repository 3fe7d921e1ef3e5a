package milter

import (
	"encoding/binary"

	gomilter "github.com/emersion/go-milter"

	"mailweir/internal/policy"
)

// continuePacket lets the mail on.
var continuePacket = []byte{0, 0, 0, 1, byte(gomilter.ActContinue)}

// appendPacket adds a packet.
func appendPacket(to []byte, code byte, parts ...string) []byte {
	length := 1
	for _, part := range parts {
		length += len(part)
	}
	to = append(binary.BigEndian.AppendUint32(to, uint32(length)), code)
	for _, part := range parts {
		to = append(to, part...)
	}
	return to
}

// refusal sends a line to the client.
func refusal(line policy.Line) []byte { return replyCode(line.String()) }

// unable is what the end of a message is answered with when the policy itself has failed twice to
// answer it: the words of the check fault.
func unable() []byte { return replyCode("451 4.3.0 Unable to process email at this time") }

func replyCode(line string) []byte {
	return appendPacket(nil, byte(gomilter.ActReplyCode), string(encodeReply(line)))
}

// encodeReply writes a reply line as both MTAs read it. A percent sign is doubled: Postfix takes a
// single one away, and Sendmail replaces the whole reply by its own. The NUL must be there: Postfix
// would send on what lies behind. Anything but printable ASCII, which no line of the policy has,
// would end the line or be mangled, and becomes a question mark.
func encodeReply(line string) []byte {
	packet := make([]byte, 0, len(line)+8)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '%':
			packet = append(packet, '%', '%')
		case c < ' ' || c > '~':
			packet = append(packet, '?')
		default:
			packet = append(packet, c)
		}
	}
	return append(packet, 0)
}
