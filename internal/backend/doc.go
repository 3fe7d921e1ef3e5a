// Package backend keeps what may fail from holding up what must go on: a server for state, a
// directory, a scanner.
//
// A [Backend] gives every call a deadline and bounds how many are under way. A call that fails
// marks the backend, or the part of it that was asked, as lost. From then on calls fail at once,
// with the cause, and a prober asks in the background until the part answers again. Callers learn
// of it by an error that is [ErrUnavailable]; operators by callbacks, once when it goes and once
// when it is back.
//
// The package knows no protocol. A client for one has a Backend, says how to ask whether the server
// is there, and puts its calls through [Backend.Call]; one that sends many things for several parts
// at once uses [Backend.Bounded] and [Backend.Lose].
package backend
