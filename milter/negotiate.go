package milter

import (
	"encoding/binary"
	"errors"
	"fmt"

	gomilter "github.com/emersion/go-milter"
)

// What is asked of the MTA: all that the program may ever use, whatever the policy, because a
// reload does not negotiate again. No skipping of bodies: a reload may turn on a check that reads
// them in the middle of a connection. No DATA and unknown commands.
const (
	wantedActions  = gomilter.OptRemoveRcpt | gomilter.OptAddHeader | gomilter.OptChangeHeader | gomilter.OptQuarantine | gomilter.OptSetSymList
	wantedProtocol = gomilter.OptNoUnknown | gomilter.OptNoData | gomilter.OptRcptRej | gomilter.OptHeaderLeadingSpace | noReplies
	noReplies      = gomilter.OptNoConnReply | gomilter.OptNoHeaderReply | gomilter.OptNoEOHReply | gomilter.OptNoBodyReply
)

// wantedMacros replaces the MTA's own choice for these stages. Sendmail 8.17 mixes up the last two:
// setting only one of them empties it, so both are set.
var wantedMacros = [...]struct {
	stage gomilter.Stage
	names string
}{
	{gomilter.StageConnect, "{daemon_port} {daemon_name} {client_ptr} {client_resolve} j"},
	{gomilter.StageHelo, "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer} {verify}"},
	{gomilter.StageMailFrom, "i {auth_type} {auth_authen}"},
	{gomilter.StageRcptTo, "i {rcpt_mailer} {rcpt_host}"},
	{gomilter.StageEOH, "i"},
	{gomilter.StageEOM, "i"},
}

// terms are what an MTA grants of what is wanted.
type terms struct {
	actions  gomilter.OptAction
	protocol gomilter.OptProtocol
}

// agree reads the MTA's offer (version, actions, protocol steps, 32 bits each) and takes from it
// what is wanted. Nothing beyond the offer is ever asked for: Sendmail would take the filter for
// broken.
func agree(offer []byte) (terms, error) {
	if len(offer) < 12 {
		return terms{}, errors.New("malformed option negotiation packet")
	}
	if version := binary.BigEndian.Uint32(offer); version < 2 {
		return terms{}, fmt.Errorf("the MTA speaks milter protocol version %d, at least 2 is needed", version)
	}
	return terms{
		actions:  wantedActions & gomilter.OptAction(binary.BigEndian.Uint32(offer[4:])),
		protocol: wantedProtocol & gomilter.OptProtocol(binary.BigEndian.Uint32(offer[8:])),
	}, nil
}

// degradations tells, for the administrator, what the MTA does not grant and what follows from it.
func (t terms) degradations() []string {
	var list []string
	if t.actions&gomilter.OptRemoveRcpt == 0 {
		list = append(list, "the MTA does not let recipients be removed: a message that is to be refused for some recipients only reaches all of them")
	}
	if t.actions&gomilter.OptAddHeader == 0 {
		list = append(list, "the MTA does not let header fields be added: messages that are to be tagged go on without their tag")
	}
	if t.actions&gomilter.OptChangeHeader == 0 {
		list = append(list, "the MTA does not let header fields be changed: messages go on with the fields that they came with")
	}
	if t.actions&gomilter.OptQuarantine == 0 {
		list = append(list, "the MTA does not let messages be quarantined: those that are to be held go on")
	}
	if t.actions&gomilter.OptSetSymList == 0 {
		list = append(list, "the MTA does not let macros be asked for: configure it to send "+
			"{daemon_port}, {daemon_name}, {client_ptr} and {client_resolve} at connect (Postfix: milter_connect_macros)")
	}
	if t.protocol&gomilter.OptRcptRej == 0 {
		list = append(list, "the MTA does not report recipients that it refuses itself")
	}
	if t.protocol&gomilter.OptHeaderLeadingSpace == 0 {
		list = append(list, "the MTA does not show blanks at the beginning of header fields: some DKIM signatures do not verify")
	}
	if t.protocol&noReplies != noReplies {
		list = append(list, "the MTA waits for an answer to every header field and body chunk: each message costs more")
	}
	return list
}

// protocolVersion is what is answered, whatever the MTA offers. What a later version brings beyond
// its flags, which MTAs honour nevertheless, is DATA and unknown commands.
const protocolVersion = 2

// packet is the answer to the offer.
func (t terms) packet() []byte {
	parts := []string{number(protocolVersion), number(int(t.actions)), number(int(t.protocol))}
	if t.actions&gomilter.OptSetSymList != 0 {
		for _, m := range wantedMacros {
			parts = append(parts, number(int(m.stage)), m.names, nul)
		}
	}
	return appendPacket(nil, byte(gomilter.CodeOptNeg), parts...)
}
