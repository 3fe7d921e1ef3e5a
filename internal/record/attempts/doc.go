// Package attempts brings together what belongs to one mail: deferred, retried, accepted.
package attempts
