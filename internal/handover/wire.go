package handover

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// On the wire each message has its length in four octets, most significant first, and is JSON,
// which the other program may read although it is of another version: what it does not know it
// leaves out.

// message is a question or an answer.
type message struct {
	// Number names a question, and the answer to it. The two sides count by themselves.
	Number uint64 `json:"number"`
	// Method is what is asked; an answer has none.
	Method string          `json:"method,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
	// Error is why there is no Body.
	Error string `json:"error,omitempty"`
}

// mostOctets bounds one message: a thousand rows of the state with values of the greatest length.
const mostOctets = 128 << 20

var errTooLong = errors.New("handover: a message is longer than may be")

// encode writes a message with its length.
func encode(m message) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("handover: %w", err)
	}
	if len(body) > mostOctets {
		return nil, errTooLong
	}
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body))), body...), nil
}

// decode reads the next message. io.EOF is the end between two messages.
func decode(from io.Reader) (m message, err error) {
	var head [4]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return m, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length > mostOctets {
		return m, errTooLong
	}
	body, err := io.ReadAll(io.LimitReader(from, int64(length))) // grows as it comes
	if err != nil {
		return m, err
	}
	if len(body) < int(length) {
		return m, io.ErrUnexpectedEOF
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("handover: %w", err)
	}
	return m, nil
}
