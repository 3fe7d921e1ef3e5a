// Package contract is the test suite that every store of the record passes.
package contract
