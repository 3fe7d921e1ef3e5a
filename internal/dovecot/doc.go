// Package dovecot asks Dovecot.
//
// [Userdb] asks its auth process whether a user exists, as Dovecot's own delivery does, over the
// socket auth-userdb (the master protocol of its auth process, version 1; measured with 2.3.19).
// NOTFOUND is an answer; FAIL, which it says while its own database is down, is an error, and so
// is a connection that it closes while auth is not running.
//
// A userdb whose driver is static finds everybody when it has allow_all_users=yes, or when there is
// no passdb that knows better. While its passwd-file is missing, the first
// question of each second is answered NOTFOUND whoever it is about; started without it, Dovecot
// finds nobody.
package dovecot
