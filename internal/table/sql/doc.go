// Package sql asks tables that live in MySQL, MariaDB, PostgreSQL and SQLite, as the files of
// mysql_table(5), pgsql_table(5) and sqlite_table(5) say.
//
// As in Postfix the key is put into the text of the query: its author has written the quotes, as in
// WHERE address = '%u@%d', and a bound parameter cannot stand inside them. So everything depends on
// escaping, and nothing is asked where that cannot be made safe:
//
//   - Each %s must stand in a string of the statement, which a scanner of the dialect finds out when
//     the file is read (lexis). What stands outside of quotes, in an identifier, a comment or a
//     string with rules of its own is an error.
//   - The connection speaks a charset in which no octet of a longer character is a quote or a
//     backslash (UTF-8 unless the file says otherwise), and the key must be UTF-8 without NUL.
//   - What escapes a quote is asked of each connection: sql_mode of MySQL has NO_BACKSLASH_ESCAPES
//     and ANSI_QUOTES; PostgreSQL is told standard_conforming_strings, and that is checked.
//   - Servers are spoken to in a way that takes one statement at a time, and an SQLite file is opened
//     for reading.
//
// The order of hosts is that of Postfix: sockets first, then at random, those that have failed
// last. Connections are few, and kept as long as idle_interval says; one that the server has closed
// meanwhile is dialled again before anybody hears of it.
package sql
