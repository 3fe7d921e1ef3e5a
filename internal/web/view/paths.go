package view

import (
	"cmp"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"mailweir/internal/policy"
	"mailweir/internal/record/attempts"
	"mailweir/internal/record/why"
)

// DecisionPath is the page of a decision.
func DecisionPath(id string) string { return "/decision/" + url.PathEscape(id) }

// MessagePath is the page of a mail transaction.
func MessagePath(t *policy.Transaction) string {
	return "/message/" + url.PathEscape(t.Session) + "/" + strconv.Itoa(t.Number)
}

// sessionPath lists all that happened in one connection.
func sessionPath(session string) string {
	return "/rejections?" + url.Values{"session": {session}, "show": {"all"}}.Encode()
}

// attemptID is the decision that ended an attempt, "" for none.
func attemptID(a attempts.Attempt) string {
	if a.Event != nil {
		return a.Event.ID
	}
	return a.Outcome.Event
}

// attemptClient is who tried.
func attemptClient(a attempts.Attempt) string {
	switch {
	case a.Message != nil:
		return clientText(a.Message.Client, a.Message.ClientName)
	case a.Event != nil:
		return clientText(a.Event.Client, a.Event.ClientName)
	}
	return ""
}

func clientText(a netip.Addr, name string) string {
	if !a.IsValid() {
		return name
	}
	return strings.TrimSpace(a.String() + " " + name)
}

func texts[T interface{ String() string }](values []T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.String()
	}
	return list
}

// messageTexts is what is known of a mail transaction.
func messageTexts(t *policy.Transaction) (list []why.Fact) {
	add := func(label, text string) {
		if text != "" {
			list = append(list, why.Fact{Label: label, Text: text})
		}
	}
	add("client", clientText(t.Client, t.ClientName))
	add("helo", t.Helo)
	add("login", t.Login)
	add("service", string(t.Service))
	add("sender", cmp.Or(t.Sender, "<>"))
	add("header From", decoded(t.From))
	add("subject", decoded(t.Subject))
	add("Message-Id", t.MessageID)
	add("queue id", t.QueueID)
	add("octets", strconv.FormatInt(t.Octets, 10))
	add("vouched", results(string(t.SPF), t.DKIM, t.DMARC))
	add("TLS", tlsText(t.TLS))
	add("check", t.Check)
	add("would have refused", strings.Join(t.Would, ", "))
	add("policy", t.Policy)
	add("host", t.Host)
	return list
}
