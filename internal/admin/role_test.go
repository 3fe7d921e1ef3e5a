package admin

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"mailweir/internal/policy"
)

type aboutRecipient struct {
	Recipient string `json:"recipient"`
}

// forOne is an operation about one recipient, which the help desk and users may do.
func forOne(effect policy.Effect, may ...policy.Role) policy.Operation {
	return policy.NewOperation(policy.About{
		Name: "x", Effect: effect, May: may, Concerns: policy.Concerning(func(r aboutRecipient) []string { return []string{r.Recipient} }),
	}, noCommand[aboutRecipient], func(context.Context, *policy.Call, aboutRecipient) (policy.Nothing, error) {
		return policy.Nothing{}, nil
	}, nil)
}

func forAll(effect policy.Effect, may ...policy.Role) policy.Operation {
	op := forOne(effect, may...)
	op.Concerns = nil
	return op
}

func TestByRole(t *testing.T) {
	bob := policy.NewRemit([]string{"Bob@Example.org"}, nil)
	domain := policy.NewRemit(nil, []string{"@EXAMPLE.org"})
	admin := policy.Person{Role: policy.RoleAdmin}
	helpdesk := policy.Person{Role: policy.RoleHelpdesk}
	auditor := policy.Person{Role: policy.RoleAuditor}
	user := policy.Person{Role: policy.RoleUser, Remit: bob}
	ofDomain := func(p policy.Person) policy.Person { p.Remit = domain; return p }
	looks, hidden := forAll(policy.Looks), forAll(policy.Looks)
	hidden.Hidden = true
	shared := []policy.Role{policy.RoleHelpdesk, policy.RoleUser}
	for _, c := range []struct {
		name string
		by   policy.Person
		op   policy.Operation
		body string
		may  bool
	}{
		{"admin changes", admin, forAll(policy.Changes), `{}`, true},
		{"nobody changes", policy.Person{}, forAll(policy.Changes), `{}`, false},
		{"nobody looks", policy.Person{}, looks, `{}`, false},
		{"admin looks", admin, hidden, `{}`, true},
		{"helpdesk looks", helpdesk, looks, `{}`, true},
		{"auditor looks", auditor, looks, `{}`, true},
		{"auditor looks at what programs do", auditor, hidden, `{}`, false},
		{"user looks at all", user, looks, `{}`, false},
		{"helpdesk does what is the admin's", helpdesk, forAll(policy.Enters), `{}`, false},
		{"auditor does what is the help desk's", auditor, forOne(policy.Enters, shared...), `{"recipient":"bob@example.org"}`, false},
		{"helpdesk for one", helpdesk, forOne(policy.Enters, shared...), `{"recipient":"bob@example.org"}`, true},
		{"helpdesk for everybody", helpdesk, forOne(policy.Enters, shared...), `{"recipient":"*"}`, false},
		{"helpdesk for everybody, written twice", helpdesk, forOne(policy.Enters, shared...), `{"recipient":"bob@example.org","RECIPIENT":"*"}`, false},
		{"admin for everybody", admin, forOne(policy.Enters, shared...), `{"recipient":"*"}`, true},
		{"admin of a domain for everybody", ofDomain(admin), forOne(policy.Enters, shared...), `{"recipient":"*"}`, false},
		{"user for everybody", user, forOne(policy.Enters, shared...), `{"recipient":"*"}`, false},
		{"helpdesk releases", helpdesk, forAll(policy.Changes, policy.RoleHelpdesk), `{}`, true},
		{"user for himself", user, forOne(policy.Enters, shared...), `{"recipient":"bob@example.org"}`, true},
		{"user for himself, with an extension", user, forOne(policy.Enters, shared...), `{"recipient":"BOB+x@example.org"}`, true},
		{"user for another", user, forOne(policy.Enters, shared...), `{"recipient":"carol@example.org"}`, false},
		{"user for all", user, forOne(policy.Enters, shared...), `{}`, false},
		{"user for his domain", user, forOne(policy.Enters, shared...), `{"recipient":"@example.org"}`, false},
		{"user with what is malformed", user, forOne(policy.Enters, shared...), `{"recipient":7}`, false},
		{"user with nothing", user, forOne(policy.Enters, shared...), ``, false},
		{"user with what says nothing of recipients", user, forAll(policy.Enters, shared...), `{"recipient":"bob@example.org"}`, false},
		{"user without a remit of his own", policy.Person{Role: policy.RoleUser, Remit: policy.NewRemit(nil, nil)}, forOne(policy.Enters, shared...), `{"recipient":"bob@example.org"}`, false},
		{"helpdesk of a domain", ofDomain(helpdesk), forOne(policy.Enters, shared...), `{"recipient":"carol@example.org"}`, true},
		{"helpdesk of a domain, another", ofDomain(helpdesk), forOne(policy.Enters, shared...), `{"recipient":"carol@example.net"}`, false},
		{"helpdesk of a domain, below it", ofDomain(helpdesk), forOne(policy.Enters, shared...), `{"recipient":"carol@sub.example.org"}`, false},
		{"helpdesk of a domain for all", ofDomain(helpdesk), forAll(policy.Changes, policy.RoleHelpdesk), `{}`, false},
		{"admin of a domain", ofDomain(admin), forOne(policy.Changes), `{"recipient":"carol@example.org"}`, true},
		{"admin of a domain, another", ofDomain(admin), forOne(policy.Changes), `{"recipient":"carol@example.net"}`, false},
		{"admin of a domain for all", ofDomain(admin), forAll(policy.Changes), `{}`, false},
		{"auditor of a domain looks at one", ofDomain(auditor), forOne(policy.Looks), `{"recipient":"carol@example.org"}`, true},
		{"auditor of a domain looks at all", ofDomain(auditor), forOne(policy.Looks), `{}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := ByRole(c.by, c.op, []byte(c.body), "+"); (err == nil) != c.may {
				t.Errorf("%v, want may = %v", err, c.may)
			}
		})
	}
}

// A request of which nobody is named concerns everybody.
func TestByRoleWithoutRecipients(t *testing.T) {
	op := forOne(policy.Changes, policy.RoleUser)
	op.Concerns = func([]byte) []string { return nil }
	by := policy.Person{Role: policy.RoleUser, Remit: policy.NewRemit([]string{"bob@example.org"}, nil)}
	if ByRole(by, op, nil, "+") == nil {
		t.Error("done for nobody in particular")
	}
}

func TestAllowed(t *testing.T) {
	service, records := newService(t)
	service.May = ByRole
	helpdesk := policy.Person{Name: "h", Role: policy.RoleHelpdesk}
	if service.Allowed(helpdesk, Request{Operation: "greet/hello"}) || !service.Allowed(helpdesk, Request{Operation: "greet/look"}) ||
		service.Allowed(policy.Person{Role: policy.RoleAdmin}, Request{Operation: "greet/none"}) {
		t.Error("the buttons do not fit what is done")
	}
	if len(*records) > 0 {
		t.Errorf("asking has left %v", *records)
	}
	_, err := service.Do(t.Context(), helpdesk, Request{Operation: "greet/hello", Body: json.RawMessage(`{"Name":"x"}`)})
	if !errors.As(err, new(*DeniedError)) || len(*records) != 1 || (*records)[0].Role != policy.RoleHelpdesk || (*records)[0].Err == "" {
		t.Errorf("%v; %+v", err, *records)
	}
}
