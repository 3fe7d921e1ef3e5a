// Package content examines what a person would read in a message.
//
// A message arrives in pieces, as a milter sees it: header fields first, then the body in chunks
// cut anywhere. An [Examination] takes those pieces, walks the MIME structure (RFC 2045, 2046,
// 2047, 2231), undoes transfer encodings and charsets, reduces HTML to its visible text, looks into
// nested messages and attachments, and matches the text against every definition at once. Nothing
// of the message is kept but a window of text for each [Sections] member, so a message of 100 MiB
// costs the memory of one of 1 MiB.
//
// # What is matched
//
// Text is folded before it is matched, and so are the entries: Unicode NFKC, letters in lower case,
// invisible and bidirectional control characters removed, runs of white space made one blank (or
// one line feed where the run had one), curly quotes and long dashes made plain.
//
// # Readings
//
// Mail programs are tolerant, each in its own way. Where they differ in what a part or a file is,
// it is read in each way from the same octets as they come, without holding them: parts by eachWay,
// files by inside, lines that only begin with a boundary by a watch. What the readings come to
// counts as the alternatives of a message do. What too many readings leave out is a [Limit] of the
// result.
//
// # The overlap rule
//
// Long texts are matched in windows of [match.WindowSize] octets that overlap by [match.Overlap]
// octets. A match of at most [match.Overlap] octets is found wherever it lies; a longer one (only a
// regular expression can be longer) may be cut at the edge of a window.
//
// # Errors and verdicts
//
// [Examination.Finish] returns a [Result] (what was found, and which limits were reached) or an
// error: the memory of all examinations was used up, or the matching engine failed. An error says
// nothing about the message.
//
// # Order of use
//
// [Load] reads definition files, [NewExaminer] compiles them, [Examiner.Begin] starts one
// examination; then [Examination.Header] for each field in order, [Examination.Body] for each
// chunk, [Examination.Finish], and always [Examination.Close]. An Examiner is safe for concurrent
// use, an Examination is not.
package content
