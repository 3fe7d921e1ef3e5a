// Package runner is the machinery between the wire and the checks: it runs their hooks as an SMTP
// dialog goes on, and makes of what they find the answer that the MTA is owed.
//
// A [Draft] registers the flags and builds a [Policy], one whole configuration; a [Runner] holds
// the current one; a [Session] is one SMTP connection under it. What the hooks of a stage read
// without waiting is found before them (facts.go). What they find stays in its scope (finding.go).
// Wherever the MTA is owed an answer (answer.go, and end.go for whole messages), one function says
// what each finding comes to for the recipient in question (resolve.go): what an exemption or a
// permit lets past is dropped, what is only monitored is recorded, and in the one printed order of
// the registry the first enforced one answers. At the end of the message the declared aggregate
// adds up what was found for single recipients (aggregate.go). Decisions become events (record.go),
// and the checks learn what became of each scope (settle.go), beside the session (queue.go).
package runner
