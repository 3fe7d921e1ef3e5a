package passwords

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// hash is a stored password.
type hash interface {
	// matches does all the work whether or not the password is right.
	matches(password []byte) bool
	// cost is the same for hashes that take the same work.
	cost() string
	// effort is about how many microseconds that takes, and memory how many octets.
	effort() int
	memory() int
	// dummy is a hash that takes as much work and that no password has.
	dummy() hash
}

// parseHash reads {SCHEME}HASH. Errors name the scheme at most.
func parseHash(text string) (hash, error) {
	scheme, rest, ok := strings.Cut(strings.TrimPrefix(text, "{"), "}")
	if !ok || !strings.HasPrefix(text, "{") {
		return nil, errors.New("behind the login stands no {SCHEME}; " + howToWrite)
	}
	switch strings.ToUpper(scheme) {
	case "ARGON2ID":
		return parseArgon(rest)
	case "BLF-CRYPT":
		return parseBlowfish(rest)
	}
	if !knownName.MatchString(scheme) {
		return nil, errors.New("the scheme is malformed; " + howToWrite)
	}
	return nil, fmt.Errorf("the scheme {%s} is not supported, only {ARGON2ID} and {BLF-CRYPT}; %s", scheme, howToWrite)
}

const howToWrite = "write entries with mailweir auth passwd LOGIN, or doveadm pw -s ARGON2ID"

// knownName is what a name of a scheme looks like; anything else might be a password.
var knownName = regexp.MustCompile(`^[A-Z][A-Z0-9-]{1,15}$`)

// argon is a hash by Argon2id (RFC 9106), written as
// $argon2id$v=19$m=KIB,t=PASSES,p=LANES$SALT$TAG.
type argon struct {
	kib, passes uint32
	lanes       uint8
	salt, tag   []byte
}

// Bounds of the parameters: 1 GiB and 4 passes are the dearest that doveadm pw makes. What is
// dearer would not be done within the time that Postfix waits.
const (
	maxKiB       = 1 << 20
	maxKiBPass   = 4 << 20 // of all passes
	maxLanes     = 16
	maxSaltOrTag = 64
)

var argonForm = regexp.MustCompile(`^\$argon2id\$v=19\$m=([0-9]{1,10}),t=([0-9]{1,10}),p=([0-9]{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$`)

func parseArgon(text string) (hash, error) {
	m := argonForm.FindStringSubmatch(text)
	if m == nil {
		return nil, errors.New("what stands behind {ARGON2ID} is not of the form $argon2id$v=19$m=…,t=…,p=…$…$…; " + howToWrite)
	}
	var n [3]uint64
	for i := range n {
		n[i], _ = strconv.ParseUint(m[i+1], 10, 64) // they are digits
	}
	kib, passes, lanes := n[0], n[1], n[2]
	if passes < 1 || lanes < 1 || lanes > maxLanes || kib < 8*lanes || kib > maxKiB || kib*passes > maxKiBPass {
		return nil, fmt.Errorf("m=%d,t=%d,p=%d is out of bounds: at least m=8 a lane, at most m=%d, m times t = %d, and p=%d", kib, passes, lanes, maxKiB, maxKiBPass, maxLanes)
	}
	a := argon{kib: uint32(kib), passes: uint32(passes), lanes: uint8(lanes)}
	var err, err2 error
	a.salt, err = base64.RawStdEncoding.DecodeString(m[4])
	a.tag, err2 = base64.RawStdEncoding.DecodeString(m[5])
	if err != nil || err2 != nil || len(a.salt) < 8 || len(a.salt) > maxSaltOrTag || len(a.tag) < 16 || len(a.tag) > maxSaltOrTag {
		return nil, fmt.Errorf("salt and hash behind {ARGON2ID} must be base64 of 8 and 16 to %d octets", maxSaltOrTag)
	}
	return a, nil
}

func (a argon) matches(password []byte) bool {
	tag := argon2.IDKey(password, a.salt, a.passes, a.kib, a.lanes, uint32(len(a.tag)))
	return subtle.ConstantTimeCompare(tag, a.tag) == 1
}

func (a argon) cost() string {
	return fmt.Sprintf("argon2id m=%d,t=%d,p=%d of %d", a.kib, a.passes, a.lanes, len(a.tag))
}
func (a argon) effort() int { return int(a.kib) * int(a.passes) } // about 1 GiB a second
func (a argon) memory() int { return int(a.kib) << 10 }

func (a argon) dummy() hash {
	a.salt, a.tag = random(len(a.salt)), random(len(a.tag))
	return a
}

func (a argon) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("{ARGON2ID}$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", a.kib, a.passes, a.lanes, b64(a.salt), b64(a.tag))
}

// blowfish is a hash by bcrypt, written as $2y$COST$SALTHASH.
type blowfish struct {
	rounds int // their logarithm to the base of 2
	text   []byte
}

// maxCost takes two or three seconds.
const maxCost = 15

var blowfishForm = regexp.MustCompile(`^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$`)

func parseBlowfish(text string) (hash, error) {
	m := blowfishForm.FindStringSubmatch(text)
	if m == nil {
		return nil, errors.New("what stands behind {BLF-CRYPT} is not of the form $2y$COST$… with 53 letters and digits behind the cost; " + howToWrite)
	}
	cost, _ := strconv.Atoi(m[1]) // they are digits
	if cost < bcrypt.MinCost || cost > maxCost {
		return nil, fmt.Errorf("the cost %d of {BLF-CRYPT} is out of bounds: %d to %d", cost, bcrypt.MinCost, maxCost)
	}
	return blowfish{cost, []byte(text)}, nil
}

func (b blowfish) matches(password []byte) bool {
	return bcrypt.CompareHashAndPassword(b.text, password) == nil
}

func (b blowfish) cost() string { return fmt.Sprint("bcrypt ", b.rounds) }
func (b blowfish) effort() int  { return 60 << b.rounds }
func (b blowfish) memory() int  { return 8 << 10 }

func (b blowfish) dummy() hash {
	text := fmt.Appendf(nil, "$2y$%02d$", b.rounds)
	for _, octet := range random(53) {
		text = append(text, "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"[octet&63])
	}
	text[len("$2y$05$")+21] = '.' // the last of the salt has two bits only
	return blowfish{b.rounds, text}
}

func random(n int) []byte {
	octets := make([]byte, n)
	_, _ = rand.Read(octets) // it never fails
	return octets
}

// usual are the parameters of new entries, those of doveadm pw: 64 MiB and 3 passes, a fifth of a
// second.
func usual() argon {
	return argon{kib: 64 << 10, passes: 3, lanes: 1, salt: random(16), tag: make([]byte, 32)}
}

// New hashes a password for an entry: {ARGON2ID}$argon2id$….
func New(password []byte) string {
	a := usual()
	a.tag = argon2.IDKey(password, a.salt, a.passes, a.kib, a.lanes, uint32(len(a.tag)))
	return a.String()
}
