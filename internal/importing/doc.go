// Package importing carries over what a mail server and its helpers were told for years: lists,
// weights, exceptions. A [Source] reads one kind of it and accounts for each line: carried, changed
// or left, and why. A [Plan] puts together what all sources want written, compares it with what an
// earlier run has written and what a person has made of that since, and writes it whole or not at
// all.
package importing
