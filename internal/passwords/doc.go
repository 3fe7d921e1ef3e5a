// Package passwords reads and writes a file of logins and password hashes, in the form of Dovecot's
// passwd-file (CONFIG in doc.dovecot.org): one a line, LOGIN:{SCHEME}HASH. Two schemes are known,
// {ARGON2ID} and {BLF-CRYPT}.
//
// No error, and nothing else that leaves the package, holds a password or any part of a hash.
package passwords
