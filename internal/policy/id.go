package policy

import "math/rand/v2"

// idAlphabet has no letters that are taken for one another when an id is read out.
const idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID returns eight random letters and digits: 40 bits.
func NewID() string {
	bits := rand.Uint64()
	var id [8]byte
	for i := range id {
		id[i] = idAlphabet[bits&31]
		bits >>= 5
	}
	return string(id[:])
}
