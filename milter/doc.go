// Package milter is the wire: it speaks the milter protocol with Postfix and Sendmail and turns
// their packets into calls of a policy session, and its answers into replies.
//
// Names and types of the protocol are those of github.com/emersion/go-milter. Its server is not
// used: it replaces the session after a refusal, drops ESMTP arguments and macros of an earlier
// stage, and reads each packet by reflection.
//
//   - A connection cuts what it reads into packets, and sets deadlines. See reader.go and conn.go.
//   - Packets out of order end the connection: a message whose beginning is unknown must not be let
//     pass. See order.go.
//   - Only what an MTA grants is asked of it, and nothing more is sent. See negotiate.go.
//   - No reply is owed at connect, header, end of headers and body: all content is answered at the
//     end of the message. That halves the cost of a message.
//
// Everything of one connection runs in one goroutine, so no connection can hold up another.
package milter
