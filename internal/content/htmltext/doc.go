// Package htmltext reduces HTML to what a reader sees of it: the text with breaks where a browser's
// innerText has them, and apart from it what does not show.
//
// Up to [MaxTree] octets are read as browsers do, into the tree of golang.org/x/net/html (see
// [Parse]); what is longer, or would make a tree out of proportion, is read as it comes with a
// plain stack of elements (see [Stream]).
package htmltext
