// Package dnslists imports the DNS lists of Postfix: those of postscreen with their weights, and
// those of smtpd's restrictions, which refuse or permit by themselves.
//
// mailweir adds up the weights of all lists of addresses and compares the sum with one threshold
// (--rbl-threshold). So a list of a restriction gets a weight that reaches the threshold alone, and
// a list that permits one that outweighs those behind it; see weigh. Lists of names have a sum of
// their own.
package dnslists
