// Package sendmail reads how a Sendmail is set up: the cf file that it reads itself (filters,
// options, daemons), and the mc file from which m4 makes that. It changes nothing.
package sendmail
