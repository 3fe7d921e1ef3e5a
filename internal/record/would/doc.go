// Package would tells what monitor mode would have refused, and how much of that was good.
package would
