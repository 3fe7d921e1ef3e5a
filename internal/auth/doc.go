// Package auth is the service that Postfix asks about logins (smtpd_sasl_type = dovecot). It speaks
// Dovecot's authentication protocol, version 1 (doc.dovecot.org, Authentication Protocol), as
// Postfix's smtpd does: one stream for each process, which stays until that ends, and one exchange
// at a time.
//
//	server.go    who is connected, and who makes room for others
//	session.go   one stream: requests, answers, what is told of them
//	request.go   what smtpd sends
//	glance.go    what the responses of a mechanism show of login and password
//	again.go     the same wrong password again
//	file.go      answers by a password file
//	upstream.go  answers by a Dovecot, reply.go what it says
//
// The handshake is answered from memory, whatever the upstream does: an smtpd that finds no
// mechanism ends before its greeting, and master keeps the service down for a minute. The only way
// to tell a client to try again is to close the stream, which smtpd answers with 454; whatever is
// said within the protocol is read as 535.
package auth
