// Package row turns entries of the record into what stores keep of them, and back.
package row
