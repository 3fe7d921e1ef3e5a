package milter

import (
	gomilter "github.com/emersion/go-milter"

	"mailweir/internal/policy"
)

// response is a packet to the MTA. The library replaces the session after an answer whose Continue
// is false; ours lives as long as its connection, whatever it answers.
type response struct{ message gomilter.Message }

func (r *response) Response() *gomilter.Message { return &r.message }
func (*response) Continue() bool                { return true }

// goOn lets the mail on.
func goOn() *response {
	return &response{gomilter.Message{Code: byte(gomilter.ActContinue)}}
}

// refusal sends a line to the client.
func refusal(line policy.Line) *response { return replyCode(line.String()) }

// unable is what the end of a message is answered with when the policy itself has failed twice to
// answer it: the words of the check fault.
func unable() *response { return replyCode("451 4.3.0 Unable to process email at this time") }

func replyCode(line string) *response {
	return &response{gomilter.Message{Code: byte(gomilter.ActReplyCode), Data: encodeReply(line)}}
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
