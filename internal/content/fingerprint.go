package content

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Fingerprint tells definitions apart by all that they say, and by where it stands: two that have
// the same one are compiled to the same.
func Fingerprint(definitions []*Definition) string {
	sum := sha256.New()
	if err := json.NewEncoder(sum).Encode(definitions); err != nil {
		panic(err) // a definition is numbers, and strings that are UTF-8
	}
	return hex.EncodeToString(sum.Sum(nil))
}
