// Package signature refuses messages with attachments that are not wanted, by digest, name or real
// type. The walk over the message is internal/examination's; what is found ends with the message.
package signature

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"mailweir/internal/blocklist"
	"mailweir/internal/content"
	"mailweir/internal/examination"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses messages with attachments that the administrator does not want, by digest, name or
// real type.
var Check = &policy.Check{
	Name:  "signature",
	Title: "attachments that are not wanted",
	Help: `Looks at every attachment and every member of an archive, attached messages and archives in archives included.

` + "`--signature-hashes`" + ` lists digests, SHA-256, SHA-1 or MD5 in hexadecimal digits. ` + "`--signature-names`" + ` lists names: ` + "`invoice.exe`" + `, or
extensions such as ` + "`.scr`" + ` or ` + "`.pdf.exe`" + `; upper and lower case are the same, and blanks and dots at the end do not count. A pattern sees the
name without directories, then its last two extensions, then the last. The value is the signature's name, which stands in the reply; ` + "`DUNNO`" + ` takes a
more particular name out, and a digest that is known to be harmless.

` + "`--signature-types`" + ` takes what a file really is, whatever it is called: ` + "`executable`" + `, ` + "`script`" + ` (by its extension, and shortcuts), ` + "`macros`" + ` (Office
files with macros), ` + "`disk-image`" + ` (ISO, UDF, VHD, DMG …), ` + "`onenote`" + `, ` + "`encrypted`" + ` (archives and documents that cannot be looked into), ` + "`disguised`" + `
(a program under the name of something else), ` + "`double-extension`" + ` (invoice.pdf.exe), ` + "`unexamined`" + ` (a limit of the examination kept a part of the
message from being looked at; docs/checks/content.md lists them), or a media type as found by the first octets, such as ` + "`application/x-7z-compressed`" + `. ` +
		"`TYPE=NAME`" + ` gives the name for the reply. ` + "`--signature-direction=inbound`" + ` leaves alone what your own users send. ` + "`--signature-bypass`" + ` lists senders, recipients and clients to whose mail this does not apply; a
sender's entry counts where SPF or DKIM vouches for him, for trusted clients, or as ` + "`OK unverified`" + `.`,
	Mode:      policy.Enforce,
	Proof:     policy.AfterAWeek("kinds of files that you have listed may stand in mail that is wanted"),
	OnError:   policy.Accept,
	Aggregate: policy.AggregateAny,
	Replies:   []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		hashes := f.Tables("hashes", "SHA-256, SHA-1 and MD5 of unwanted files, with the signature's name",
			table.Use{Asked: table.OwnKeys, Own: digest, Noun: "digests", Values: table.Values{Name: "names of digests"}, Bare: "OK"})
		names := f.Tables("names", "names and extensions of unwanted files, with the signature's name",
			table.Use{Asked: table.OwnKeys, Own: fileName, Noun: "file names", Values: table.Values{Name: "names of files"}, Bare: "OK"})
		types := f.Strings("types", "TYPE[=NAME]", "kind of unwanted file: "+kindNouns+", or a media type")
		direction := f.Words("direction", []string{"inbound", "outbound", "internal", "relay"}, "DIRECTION,…", "mail whose attachments are looked at: inbound, outbound, internal, relay")
		list := f.Tables("bypass", "senders, recipients and clients whose attachments are not looked at", blocklist.BypassUse())
		return func(env *policy.Env) (policy.Hooks, error) {
			if !hashes.Given() && !names.Given() && len(*types) == 0 {
				return policy.Hooks{Off: "no --signature-hashes, --signature-names or --signature-types"}, nil
			}
			rule := &rule{slot: policy.NewSlot[findings](env)}
			rule.exam = examination.For(env, rule.wants)
			var err error
			if rule.directions, err = policy.ParseDirections(*direction, policy.Inbound, policy.Outbound, policy.Internal, policy.Relay); err != nil {
				return policy.Hooks{}, fmt.Errorf("--signature-direction: %w", err)
			}
			if rule.hashes, err = hashes.Open(env); err != nil {
				return policy.Hooks{}, err
			}
			if rule.names, err = names.Open(env); err != nil {
				return policy.Hooks{}, err
			}
			if rule.bypass.List, err = list.Open(env); err != nil {
				return policy.Hooks{}, err
			}
			if rule.types, err = readFileTypes(*types); err != nil {
				return policy.Hooks{}, err
			}
			if i := slices.IndexFunc(rule.types, func(t fileType) bool { return t.noun == unexamined }); i >= 0 {
				rule.unexamined = rule.types[i].name
			}
			return rule.hooks(), nil
		}
	},
}

type rule struct {
	exam          *examination.Reader
	hashes, names *table.List
	types         []fileType
	unexamined    string // the signature of a message that was not examined whole, "" where it may pass
	directions    []policy.Direction
	bypass        blocklist.Bypass
	slot          policy.Slot[findings] // on the message, whoever gets it
}

// wants tells what is needed of the examination of a message.
func (s *rule) wants(m *policy.Message) (content.Needs, bool) {
	needs := content.Files
	if s.hashes != nil {
		needs |= content.Sums
	}
	return needs, m.AnyRecipient(s.concerns) && s.bypass.Message(m) == ""
}

// concerns reports whether mail to a recipient goes in a direction in which it is looked at.
func (s *rule) concerns(r *policy.Recipient) bool { return slices.Contains(s.directions, r.Direction) }

func (s *rule) hooks() policy.Hooks {
	return policy.Hooks{
		Header:  s.exam.Header,
		Body:    s.exam.Body,
		Headers: s.bypass.KeepHook(),
		Message: func(m *policy.Message) (policy.Verdict, error) {
			if !m.AnyRecipient(s.concerns) {
				return policy.Pass, nil
			}
			if by := s.bypass.Message(m); by != "" {
				return policy.Pass.Because("bypass: %s", by), nil
			}
			result, err := s.exam.Finish(m)
			if err == nil {
				s.slot.Of(m).result = result
			}
			return policy.Pass.Because("%s", examination.LimitsReached(result, "")), err
		},
		MessageFor: func(r *policy.Recipient) (policy.Verdict, error) {
			found := s.slot.Of(r.Msg)
			if found.result == nil || !s.concerns(r) {
				return policy.Pass, nil
			}
			if by := s.bypass.Recipient(r); by != "" {
				return policy.Pass.Because("bypass: %s", by), nil
			}
			return policy.Asks(s.hashes, s.names, s.bypass.List).Later(func(ctx context.Context) (policy.Verdict, error) {
				v, err := found.judge(ctx, s)
				if err != nil || !v.Objects() {
					return v, err
				}
				return s.bypass.Spare(ctx, v, r.Msg, r)
			}), nil
		},
		SettleMessage: s.exam.Settle,
	}
}

// findings is what was found in a message, judged once for all its recipients.
type findings struct {
	result  *content.Result // nil where nothing was looked at
	once    sync.Once
	verdict policy.Verdict
	err     error
}

func (f *findings) judge(ctx context.Context, s *rule) (policy.Verdict, error) {
	f.once.Do(func() { f.verdict, f.err = s.judge(ctx, f.result) })
	return f.verdict, f.err
}

// judge objects to the first file that has a signature, and then to what was not looked at, if that
// is wanted.
func (s *rule) judge(ctx context.Context, result *content.Result) (policy.Verdict, error) {
	for i := range result.Parts {
		p := &result.Parts[i]
		name, why, err := s.match(ctx, p)
		if err != nil {
			return policy.Pass, err
		}
		if name != "" {
			return policy.Object(reply, name).Because("file %s: %s%s", strconv.QuoteToASCII(p.Name), why, examination.LimitsReached(result, "; ")), nil
		}
	}
	if s.unexamined != "" && len(result.Reached) > 0 {
		return policy.Object(reply, s.unexamined).Because("%s: %s", unexamined, examination.LimitsReached(result, "")), nil
	}
	return policy.Pass, nil
}

// match returns the name of a file's signature, "" for none, and which entry it is.
func (s *rule) match(ctx context.Context, p *content.Part) (name, why string, err error) {
	for _, sum := range []string{p.SHA256, p.SHA1, p.MD5} {
		if sum == "" {
			continue
		}
		if m, err := s.hashes.Key(ctx, sum); err != nil || m.Found() {
			return entryName(m, sum), m.Where(), err
		}
	}
	for _, key := range nameKeys(p) {
		m, err := s.names.Key(ctx, key)
		if err != nil {
			return "", "", err
		}
		if !m.Found() {
			continue
		}
		if name := entryName(m, key); name != "" {
			return name, m.Where(), nil
		}
		break
	}
	for _, t := range s.types {
		if t.is(p) {
			return t.name, t.noun, nil
		}
	}
	return "", "", nil
}

// entryName is the name that an entry gives: its value; of a list of keys alone the key. DUNNO is
// none.
func entryName(m table.Match, key string) string {
	switch value := policy.Clean(m.Value); {
	case strings.EqualFold(value, "DUNNO"):
		return ""
	case value == "" || strings.EqualFold(value, "OK"):
		return key
	default:
		return value
	}
}

// nameKeys are the keys of a file's name: the name, its last two extensions, the last one.
func nameKeys(p *content.Part) []string {
	base := strings.ToLower(content.BaseName(p.Name))
	keys := []string{base}
	last := path.Ext(base)
	rest := strings.TrimRight(strings.TrimSuffix(base, last), " ") // invoice.pdf      .exe
	if before := path.Ext(rest); before != "" && last != "" {
		keys = append(keys, before+last)
	}
	if last != "" && last != base {
		keys = append(keys, last)
	}
	if last == "" && p.Extension != "" {
		keys = append(keys, p.Extension) // what mail programs give a file of this declared type
	}
	return keys
}

// digest refuses a key of --signature-hashes that is the digest of no file.
func digest(key string) error {
	sum, err := hex.DecodeString(key)
	if n := len(sum); err != nil || n != md5.Size && n != sha1.Size && n != sha256.Size {
		return fmt.Errorf("%s is no MD5, SHA-1 or SHA-256: want its 32, 40 or 64 hexadecimal digits", strconv.QuoteToASCII(key))
	}
	return nil
}

// fileName refuses a key of --signature-names that nameKeys never asks for.
func fileName(key string) error {
	switch {
	case strings.ContainsRune(key, '*'):
		return fmt.Errorf("%s: a name has no wildcards; an extension is written with its dot alone, such as .js, and other patterns go into a table of type regexp", strconv.QuoteToASCII(key))
	case strings.ContainsRune(key, '/'):
		return fmt.Errorf("%s: names are compared without their directories: leave them out", strconv.QuoteToASCII(key))
	case strings.ContainsRune(key, '"'):
		return fmt.Errorf("%s: a quote belongs to the name here, and no file is called so; a name with blanks goes into a table of type regexp", strconv.QuoteToASCII(key))
	case strings.TrimRight(key, " .") != key:
		return fmt.Errorf("%s: blanks and dots at the end of a name do not count: leave them out", strconv.QuoteToASCII(key))
	case strings.HasPrefix(key, ".") && strings.Count(key, ".") > 2:
		return fmt.Errorf("%s: only the last two extensions are compared", strconv.QuoteToASCII(key))
	}
	return nil
}

var reply = &policy.Reply{
	ID: "signature", Row: "P17", Offence: policy.OffenceBlocked, Code: 554, Enhanced: "5.7.1", Text: "Email rejected due to security policies ({signature})", Args: []string{"signature"},
	Description: "An attachment, or a file in an archive, has a digest, name or real type that is not wanted here. The event names the file and the entry.",
	Resolution:  "The sender leaves the file out or passes it on in another way. The administrator changes the entry, or adds a bypass (--signature-bypass).",
	Advice:      "Please leave the attached file out, or pass it on in another way.",
	Lifts: []policy.Lift{
		{Table: "signature-bypass", Entry: "{sender} OK", Vouched: true, Says: "Attachments from {sender} are no longer looked at, while SPF or DKIM vouches for the sender."},
		{Table: "signature-bypass", Entry: "{to} OK", Says: "Attachments to {to} are no longer looked at."},
	},
}
