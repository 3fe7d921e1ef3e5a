// Package spamscan shows messages to spam scanners: what a scanner is told, what it answers, and a
// [Pool] that asks several of one kind by turn. The protocols are those of the packages rspamd and
// spamd; what is made of an answer is for the check spam to say.
package spamscan
