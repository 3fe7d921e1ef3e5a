// Package milter is the wire: it speaks the milter protocol with Postfix and Sendmail and turns
// their packets into calls of a policy session, and its answers into replies.
//
// The server of github.com/emersion/go-milter does the protocol. What it leaves to be desired is
// made up for around it, without touching it:
//
//   - A [net.Conn] of our own stands between the MTA and the library. It frames packets, so that reads
//     are buffered, deadlines can be set, and what the library drops (ESMTP arguments, macros of an
//     earlier stage) is kept. Header fields and pieces of the body go past the library, straight to the
//     session: it would read each of them by reflection, copy it, and gather all fields. See conn.go.
//   - Packets out of order end the connection: a message whose beginning is unknown must not be let
//     pass. See order.go.
//   - Each connection gets a library server of its own, made after the MTA's offer has been read: only so
//     can the flags be those that this MTA grants, and the session be the same for the whole connection.
//     See negotiate.go.
//   - No reply is owed at connect, header, end of headers and body: all content is answered at the end of the
//     message. That halves the cost of a message.
//
// Everything of one connection runs in one goroutine, so no connection can hold up another.
//
// The library writes what surprises it to the standard logger of package log. Nothing is known to
// get there, because the connection reports errors itself (see [Server.ErrorLog]), but a program
// that cares sets log.SetOutput: the library offers no other way.
package milter
