// Package dns asks the domain name system and keeps what it says.
//
// A [Resolver] puts [Question]s to recursive servers, many at once and each only once however many
// ask, and keeps the [Answer]s for as long as they hold. It tells "there is nothing" from "nobody
// knows": only [NoName] and [NoData] say that nothing is there, everything else that is not an
// answer is a [Failed] with its [Error]. [NetResolver] offers the same as [net.Resolver] does.
// Questions and answers can be printed and read again.
//
// What an answer means is not its business: DNS lists (package rbl), SPF and DKIM (package
// mailauth) judge it.
package dns
