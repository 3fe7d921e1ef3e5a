package door

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mailweir/internal/passwords"
	"mailweir/internal/policy"
)

// Users are the logins of --console-users, a file of lines LOGIN:{ARGON2ID}HASH:ROLE[:LIST]. The
// list has domains and, for users, addresses, by commas. It is read again when it has changed; one
// that has become wrong changes nothing.
type Users struct {
	file  *passwords.File
	turns chan struct{}
}

// guessesAtOnce bounds the memory that guesses take, 64 MiB each.
const guessesAtOnce = 2

// turnWithin is how long a guess waits for its turn.
const turnWithin = 5 * time.Second

// OpenUsers reads the file. changed is told whenever it has been read again, and what is wrong if
// that is so.
func OpenUsers(path string, changed func(entries int, err error)) (*Users, error) {
	file, err := passwords.OpenChecked(path, CheckFields, changed)
	if err != nil {
		return nil, err
	}
	return &Users{file: file, turns: make(chan struct{}, guessesAtOnce)}, nil
}

// Reload reads the file again, whether or not it seems to have changed.
func (u *Users) Reload() { u.file.Reload() }

// Len is how many logins there are.
func (u *Users) Len() int { return u.file.Len() }

// CheckFields reports what is wrong with ROLE[:LIST] behind a login and its hash.
func CheckFields(login string, fields []string) error {
	_, err := readFields(login, fields)
	return err
}

func readFields(login string, fields []string) (policy.Person, error) {
	switch {
	case len(fields) == 0 || fields[0] == "":
		return policy.Person{}, errors.New("behind the hash stands no role; write LOGIN:{ARGON2ID}HASH:ROLE[:DOMAIN,…] by mailweir console passwd LOGIN --role=ROLE")
	case len(fields) > 2:
		return policy.Person{}, errors.New("there are too many colons; write LOGIN:{ARGON2ID}HASH:ROLE[:DOMAIN,…]")
	}
	who, err := readGrant(login, strings.Join(fields, ":"))
	if err == nil && who.Remit != nil && len(who.Remit.Addresses)+len(who.Remit.Domains) == 0 {
		err = errors.New("the login of this user is no address; say whose mail is his: LOGIN:{ARGON2ID}HASH:user:ADDRESS,… (--of=ADDRESS,…)")
	}
	return who, err
}

// account is a login of the file as it is now, nil where there is none.
func (u *Users) account(login string) *account {
	entry := u.file.Find(login)
	name, ok := passwords.Login(login)
	if !ok || !entry.Known() {
		return nil
	}
	who, err := readFields(name, entry.Fields())
	if err != nil { // the file has been checked
		return nil
	}
	who.Name, who.UID = name, -1
	stamp := entry.Stamp()
	return &account{person: who, source: fromUsers, stamp: string(stamp[:])}
}

var errBusy = errors.New("too many are logging in at once")

// check looks at a password, and does the same work for names that do not exist. known says whether
// the file has the name.
func (u *Users) check(ctx context.Context, login string, password []byte) (a *account, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, turnWithin)
	defer cancel()
	select {
	case u.turns <- struct{}{}:
		defer func() { <-u.turns }()
	case <-ctx.Done():
		return nil, false, errBusy
	}
	entry := u.file.Find(login)
	right := entry.Matches(password)
	if a = u.account(login); !right || a == nil {
		return nil, entry.Known(), nil
	}
	if stamp := entry.Stamp(); a.stamp != string(stamp[:]) { // it has changed meanwhile
		return nil, true, nil
	}
	return a, true, nil
}

// readGrant reads ROLE[:LIST].
func readGrant(login, text string) (policy.Person, error) {
	name, list, _ := strings.Cut(text, ":")
	role, err := policy.ParseRole(name)
	if err != nil {
		return policy.Person{}, err
	}
	addresses, domains, err := readList(list)
	if err != nil {
		return policy.Person{}, err
	}
	who := policy.Person{Role: role}
	switch {
	case role != policy.RoleUser && len(addresses) > 0:
		return who, fmt.Errorf("the role %s is for domains, not for single addresses", role)
	case len(addresses)+len(domains) > 0:
		who.Remit = policy.NewRemit(addresses, domains)
	case role == policy.RoleUser && strings.Contains(login, "@"):
		who.Remit = policy.NewRemit([]string{login}, nil)
	case role == policy.RoleUser:
		who.Remit = policy.NewRemit(nil, nil)
	}
	return who, nil
}

// readList reads addresses and domains, by commas or blanks.
func readList(text string) (addresses, domains []string, err error) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		at := strings.LastIndexByte(word, '@')
		switch {
		case at > 0 && at < len(word)-1:
			addresses = append(addresses, word)
		case at <= 0 && strings.Trim(word, "@") != "":
			domains = append(domains, word)
		default:
			return nil, nil, fmt.Errorf("%q is neither a domain nor an address", policy.Clean(word))
		}
	}
	return addresses, domains, nil
}
