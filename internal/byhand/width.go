package byhand

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mailweir/internal/policy"
)

const (
	// aDay is how far back it is looked whom an entry would have been about.
	aDay = 24 * time.Hour
	// fewMessages is how many accepted messages of a day make an entry no wide one.
	fewMessages = 20
	// Nets with fewer bits are wide: more than one network of a provider.
	usualBits4, usualBits6 = 16, 32
)

// mailers are domains under which anybody can have an address: those of the largest providers.
var mailers = []string{
	"aol.com", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "live.com", "mac.com", "mail.ru", "me.com",
	"msn.com", "orange.fr", "outlook.com", "proton.me", "protonmail.com", "qq.com", "t-online.de", "web.de", "yahoo.com", "yandex.ru", "163.com",
}

// width says why an entry is about more than whoever makes it may mean, "" where it is not.
func width(ctx context.Context, known policy.Known, kind Kind, s Subject) string {
	var why []string
	if own := ours(ctx, known, kind, s); own != "" {
		why = append(why, own)
	}
	switch {
	case s.Sender == "" && s.Clients.Bits() < usual(s):
		why = append(why, fmt.Sprintf("the net is wider than a /%d", usual(s)))
	case s.IsDomain() && slices.Contains(mailers, s.Sender):
		why = append(why, "anybody can have an address there")
	case s.IsDomain() && !strings.Contains(s.Sender, "."):
		why = append(why, "that is a whole top-level domain")
	}
	if mail := recorded(ctx, known, s); mail != "" {
		why = append(why, mail)
	}
	return strings.Join(why, ", and ")
}

// ours says that a block is about our own people. A permit of them is no mistake.
func ours(ctx context.Context, known policy.Known, kind Kind, s Subject) string {
	switch {
	case kind != Block:
	case s.Sender == "" && known.Ours != nil:
		return known.Ours(ctx, s.Clients)
	case s.Sender != "" && known.Local != nil:
		_, domain, found := strings.Cut(s.Sender, "@")
		if !found {
			domain = s.Sender
		}
		if local, ok, err := known.Local(ctx, domain); ok && local && err == nil {
			return domain + " is one of our own domains (--local-domains), and a block stops the mail of its users, too"
		}
	}
	return ""
}

// recorded says how much mail of the last day it would have been about, "" for little.
func recorded(ctx context.Context, known policy.Known, s Subject) string {
	if known.Mail == nil || s.Sender != "" && !s.IsDomain() {
		return ""
	}
	asked := policy.MailCase{Within: aDay, Client: s.Clients}
	if s.Sender != "" {
		asked.Sender = "@" + s.Sender
	}
	n, err := known.Mail(ctx, asked)
	if err != nil || n.Accepted < fewMessages {
		return ""
	}
	more := ""
	if n.More {
		more = " or more"
	}
	return fmt.Sprintf("%d%s messages from there were accepted in the last 24 hours", n.Accepted, more)
}

func usual(s Subject) int {
	if s.Clients.Addr().Is4() {
		return usualBits4
	}
	return usualBits6
}
