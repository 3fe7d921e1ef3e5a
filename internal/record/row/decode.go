package row

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"

	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// Decode makes the entry of a row again. Times come back to the microsecond, and texts as valid
// UTF-8; offences, which no JSON has, do not come back.
func (r Row) Decode() (record.Entry, error) {
	e := record.Entry{Position: r.Position}
	var err error
	switch r.Kind {
	case record.Decisions:
		e.Event, err = r.decodeEvent()
	case record.Messages:
		e.Message, err = r.decodeMessage()
	default:
		err = fmt.Errorf("its kind is %d", r.Kind)
	}
	if err != nil {
		return record.Entry{}, fmt.Errorf("record: entry %d cannot be read: %w", r.Position, err)
	}
	return e, nil
}

// errEmpty is about JSON that is null.
var errEmpty = errors.New("it is empty")

func (r Row) decodeEvent() (*policy.Event, error) {
	rest := event{Event: &policy.Event{}}
	if err := json.Unmarshal(r.Rest, &rest); err != nil {
		return nil, err
	}
	e := rest.Event
	if e == nil {
		return nil, errEmpty
	}
	e.ID, e.Time, e.Host, e.Check = cmp.Or(rest.ID, r.ID), r.Time, r.Host, r.Check
	e.Mode, e.Action, e.Session, e.Transaction = r.Mode, r.Action, r.Session, r.Transaction
	e.Client, e.Service, e.Login, e.Direction = r.whole(rest.Client), r.Service, cmp.Or(rest.Login, r.Login), r.Direction
	return e, nil
}

func (r Row) decodeMessage() (*policy.Transaction, error) {
	rest := message{Transaction: &policy.Transaction{}}
	if err := json.Unmarshal(r.Rest, &rest); err != nil {
		return nil, err
	}
	t := rest.Transaction
	if t == nil {
		return nil, errEmpty
	}
	t.Ended, t.Host, t.Check, t.Session, t.Number = r.Time, r.Host, r.Check, r.Session, r.Transaction
	t.Client, t.Service, t.Login = r.whole(rest.Client), r.Service, cmp.Or(rest.Login, r.Login)
	return t, nil
}

// whole is the client, zone and all.
func (r Row) whole(rest netip.Addr) netip.Addr {
	if rest.IsValid() {
		return rest
	}
	return r.Client
}
