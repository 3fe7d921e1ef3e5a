// Package clamd shows messages to ClamAV's daemon, over its socket.
//
// A connection carries one command (clamd(8)): "zINSTREAM", NUL, then chunks, each a length of four
// octets in network order and as many octets, and a length of zero. The answer ends with NUL, or
// with LF where clamd has not understood the command. What was measured with clamd 1.4.6 and shapes
// this package:
//
//   - An open INSTREAM holds one of clamd's threads, or a place in its queue, from its first octet
//     on; enough of them make clamd deaf. So a message is sent when it is whole, and no more are
//     scanned at once than clamd has threads. Others wait here.
//   - While all threads scan, PING and VERSION are answered at once. So what has failed or takes too
//     long is asked by PING whether it is there, and only what is silent then counts as lost. STATS,
//     which tells the number of threads, waits for one of them. One whose threads hang answers PING,
//     too: it counts as lost when it says nothing about any message for long.
//   - A message that begins with a field such as "BM: x" or "%PDF-1.4: x" is taken for a picture or
//     a document, and its attachments are not decoded. A field "Received:" in front prevents that,
//     and is what delivered mail begins with. The line "From " of a mailbox would do, too, but then
//     a body may itself begin another message by such a line, and hide what follows.
//   - Who sends more than StreamMaxLength gets an answer before he has finished, and a closed
//     connection. The limit cannot be asked for.
//   - While it reads its signatures without ConcurrentDatabaseReload, clamd accepts connections and
//     answers after 35 to 40 s. Asking again before only adds to its queue.
package clamd
