// Package postfix reads how a Postfix is set up, from what its own postconf(1) and postmulti(1)
// print: parameters with every $name expanded, services with the parameters that they override,
// milters, tables. So what Postfix takes for its configuration is what is found here, whatever its
// files look like. What is to be changed is changed in a [Draft], a copy, and read back.
package postfix
