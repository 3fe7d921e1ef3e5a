// Package attach puts mailweir in front of a Postfix or Sendmail that runs already, and takes it
// away again: "mailweir init" and "mailweir init --undo".
//
// A run has four parts. It reads the mail server (mta/postfix, mta/sendmail) and proposes what
// mailweir is to know of it (propose.go and its neighbours: domains.go, nets.go, services.go,
// recipients.go). It makes every file again in memory, so that a person sees the whole difference
// before anything is written (plan.go). It writes them, each step noted in the journal before it is
// taken (journal.go, apply.go), and asks the mail server afterwards whether it still answers and
// mailweir whether it was asked (probe.go); if not, all files become what they were, octet for
// octet. What init has changed since it was first run is in the journal, and undo.go takes it back,
// without what an administrator has changed since.
package attach
