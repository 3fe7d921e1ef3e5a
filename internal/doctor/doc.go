// Package doctor finds out what is wrong between a mail server, mailweir and their host, and says
// how to mend it. It changes nothing.
//
// What is looked at is gathered once, each part within a deadline of its own (Gather); what could
// not be read is an error in its place. Each Examination judges these [Facts] by itself, so that a
// test can feed it any, and its declaration is its page in the documentation.
package doctor
