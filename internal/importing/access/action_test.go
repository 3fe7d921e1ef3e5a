package access

import (
	"testing"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
)

// Each right-hand side of access(5), and what it is in mailweir's lists.
func TestActions(t *testing.T) {
	set := map[string]string{"smtpd_restriction_classes": "no, yes, ours, lists", "no": "reject", "yes": "permit", "ours": "permit_mynetworks, reject", "lists": "reject_rbl_client a.example"}
	r := &reader{in: &importing.Input{Postfix: &postfix.Postfix{Parameters: set, Set: set}}}
	u := &use{kind: &kinds[0]}
	for value, want := range map[string]struct {
		verb                      verb
		clients, senders, because string
	}{
		"REJECT":                    {reject, "554 5.7.1", "REJECT", ""},
		"reject Go away":            {reject, "554 5.7.1 Go away", "REJECT Go away", ""},
		"REJECT 5.1.8 Go away":      {reject, "554 5.1.8 Go away", "REJECT 5.1.8 Go away", ""},
		"REJECT 4.1.8 Go away":      {reject, "554 5.1.8 Go away", "REJECT 5.1.8 Go away", ""},
		"550 no":                    {reject, "550 no", "550 no", ""},
		"521 5.7.1 no":              {reject, "521 5.7.1 no", "521 5.7.1 no", ""},
		"450 4.7.1\tlater":          {later, "450 4.7.1 later", "450 4.7.1 later", ""},
		"599 odd":                   {reject, "550 odd", "550 odd", ""},
		"DEFER":                     {later, "DEFER", "DEFER", ""},
		"DEFER 4.2.0 busy":          {later, "DEFER 4.2.0 busy", "DEFER 4.2.0 busy", ""},
		"DEFER_IF_PERMIT busy":      {later, "DEFER busy", "DEFER busy", ""},
		"DEFER_IF_REJECT":           {other, "", "", "a milter cannot DEFER_IF_REJECT; it does its work in Postfix as before"},
		"OK":                        {ok, "", "", ""},
		"ok and more":               {ok, "", "", ""},
		"RELAY":                     {ok, "", "", ""},
		"1234567890":                {ok, "", "", ""},
		"550":                       {ok, "", "", ""},
		"DUNNO what":                {dunno, "", "", ""},
		"WARN look":                 {other, "", "", "WARN only logs; it does its work in Postfix as before"},
		"INFO":                      {other, "", "", "INFO only logs; it does its work in Postfix as before"},
		"HOLD":                      {other, "", "", "a milter cannot HOLD; it does its work in Postfix as before"},
		"PREPEND X-A: b":            {other, "", "", "a milter cannot PREPEND; it does its work in Postfix as before"},
		"FILTER smtp:[127.0.0.1]:1": {other, "", "", "a milter cannot FILTER; it does its work in Postfix as before"},
		"REDIRECT a@b.example":      {other, "", "", "a milter cannot REDIRECT; it does its work in Postfix as before"},
		"BCC a@b.example":           {other, "", "", "a milter cannot BCC; it does its work in Postfix as before"},
		"DISCARD":                   {other, "", "", "a milter cannot DISCARD; it does its work in Postfix as before"},
		"hash:/etc/other":           {other, "", "", "Postfix answers 451 to it: a map names no other map, but a restriction class"},
		"RJECT":                     {other, "", "", `"RJECT" is neither an action nor a restriction class, and Postfix answers 451 to it`},
		"no":                        {reject, "554 5.7.1", "REJECT", ""},
		"yes":                       {ok, "", "", ""},
		"ours":                      {outsiders, "", "", ""},
		"permit_mynetworks, reject": {outsiders, "", "", ""},
		"permit_mynetworks":         {dunno, "", "", ""},
		"defer":                     {later, "DEFER", "DEFER", ""},
		"lists":                     {other, "", "", "for these clients alone it asks reject_rbl_client a.example, and mailweir has no checks for some alone; it does its work in Postfix as before"},
	} {
		a := r.actionOf(u, value)
		clients, senders := "", ""
		if a.refuses() {
			clients, senders = a.written(&kinds[0]), a.written(&kinds[1])
		}
		if a.verb != want.verb || clients != want.clients || senders != want.senders || a.why != want.because {
			t.Errorf("%q: verb %d, %q, %q, %q", value, a.verb, clients, senders, a.why)
		}
	}
}

func FuzzActions(f *testing.F) {
	for _, seed := range []string{"REJECT 5.7.1 no", "450", "599 x", "permit_mynetworks, reject", "class", "reject_rbl_client", "{x y}"} {
		f.Add(seed)
	}
	set := map[string]string{"smtpd_restriction_classes": "class", "class": "class, check_sender_access hash:/x"}
	r := &reader{in: &importing.Input{Postfix: &postfix.Postfix{Parameters: set, Set: set}}}
	f.Fuzz(func(t *testing.T, value string) {
		for i := range kinds {
			a := r.actionOf(&use{kind: &kinds[i]}, value)
			if a.verb == other && a.why == "" {
				t.Errorf("%q is left without a reason", value)
			}
		}
	})
}
