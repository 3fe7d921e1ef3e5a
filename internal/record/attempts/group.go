package attempts

import (
	"slices"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/record"
)

// Group sorts all entries about a recipient by mail, the mail that came first first. What belongs
// to a mail beyond these entries stays unseen.
func Group(recipient string, entries []record.Entry, now time.Time) (chains []Chain) {
	to := address.Parse(recipient).Key()
	bySender := map[string][]record.Entry{}
	mails := map[string]Mail{}
	for _, e := range entries {
		for _, m := range Of(e) {
			if address.Parse(m.Recipient).Key() != to {
				continue
			}
			sender := address.Parse(m.Sender).SenderKey()
			bySender[sender] = append(bySender[sender], e)
			if _, known := mails[sender]; !known {
				mails[sender] = m
			}
			break
		}
	}
	for sender, list := range bySender {
		for _, t := range link(gather(mails[sender], list)) {
			c := Chain{Mail: mails[sender]}
			for _, a := range t.attempts {
				c.Attempts = append(c.Attempts, *a)
			}
			c.MessageID = t.id
			c.judge(now)
			c.At = c.First
			chains = append(chains, c)
		}
	}
	slices.SortFunc(chains, func(a, b Chain) int {
		if n := a.First.Compare(b.First); n != 0 {
			return n
		}
		return slices.Compare([]string{a.Sender, a.MessageID}, []string{b.Sender, b.MessageID})
	})
	return chains
}
