package web

import (
	"cmp"
	"net/netip"
	"strconv"

	"mailweir/internal/encodedword"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/web/view"
)

// rowsOf are the rows of a list.
func rowsOf(entries []record.Entry) []view.Row {
	rows := make([]view.Row, len(entries))
	for i, e := range entries {
		rows[i] = rowOf(e)
	}
	return rows
}

func rowOf(e record.Entry) view.Row {
	if e.Event != nil {
		return decisionRow(e.Event)
	}
	return messageRow(e.Message)
}

func decisionRow(e *policy.Event) view.Row {
	r := view.Row{
		Key: e.ID, Href: view.DecisionPath(e.ID), At: e.Time, Word: e.Action.String(), Tone: view.ActionTone(e.Action), Check: e.Check,
		Sender: senderText(e.Sender, e.HasSender), Recipients: e.Recipients, Count: e.Count,
		Client: clientText(e.Client), ClientName: e.ClientName, Subject: encodedword.Decode(e.Subject),
		Why: cmp.Or(e.Err, e.Cause, e.Line.Text()), Fold: foldOf(e),
	}
	if code := e.Line.Code(); code != 0 {
		r.Code = strconv.Itoa(code)
	}
	return r
}

func messageRow(t *policy.Transaction) view.Row {
	r := view.Row{
		Key: t.Session + "/" + strconv.Itoa(t.Number), Href: view.MessagePath(t), At: t.Ended, Word: t.Fate.String(), Tone: view.FateTone(t.Fate), Check: t.Check,
		Sender: senderText(t.Sender, true), Count: t.RecipientCount,
		Client: clientText(t.Client), ClientName: t.ClientName, Subject: encodedword.Decode(t.Subject), Why: t.MessageID,
	}
	for _, to := range t.Recipients {
		r.Recipients = append(r.Recipients, to.Recipient)
	}
	return r
}

func foldOf(e *policy.Event) *view.Fold {
	d := e.Dedup
	if d == nil || d.Times < 2 {
		return nil
	}
	f := &view.Fold{
		Times: d.Times, Last: d.Last, ClientCount: d.ClientCount, Senders: d.Senders, SenderCount: d.SenderCount,
		Recipients: e.Recipients, RecipientCount: e.Count,
	}
	for _, c := range d.Clients {
		f.Clients = append(f.Clients, c.String())
	}
	return f
}

func clientText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// senderText is the sender as people read it.
func senderText(sender string, has bool) string {
	if sender == "" && has {
		return "<>"
	}
	return sender
}
