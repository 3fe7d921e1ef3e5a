package attach

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/mta/postfix"
)

// postfixDraft is a draft of main.cf and master.cf, and notes which settings it changes.
type postfixDraft struct {
	*postfix.Draft
	server   *postfixServer
	settings []setting
}

// The lists of milters: of what comes by SMTP, and of what local programs submit.
const (
	milters      = "smtpd_milters"
	otherMilters = "non_smtpd_milters"
)

// attachMain puts mailweir into main.cf's lists.
func (d *postfixDraft) attachMain(ctx context.Context, address string, before []string) error {
	for _, name := range []string{milters, otherMilters} {
		raw, set := d.server.found.Set[name]
		// Mail of local programs is judged only where somebody has wanted it.
		if name == otherMilters && !slices.ContainsFunc(postfix.SplitList(raw), d.mailweir) {
			continue
		}
		value, err := d.attached(raw, address, before)
		if err != nil {
			return fmt.Errorf("main.cf: %s: %w", name, err)
		}
		if value == raw {
			continue
		}
		d.note("", name, raw, set, value)
		if err := d.Set(ctx, name, value); err != nil {
			return err
		}
	}
	return nil
}

// attached is a list with mailweir in front. One that has it there already stays as it is.
func (d *postfixDraft) attached(raw, address string, before []string) (string, error) {
	if _, err := postfix.ParseMilters(raw); err != nil {
		return "", fmt.Errorf("it is broken already: %w", err)
	}
	words := postfix.SplitList(raw)
	if _, found := postfix.Entry(raw, address); found && d.names(words[0], []string{address}) && !slices.ContainsFunc(words[1:], d.mailweir) {
		return raw, nil
	}
	a := postfix.Attachment{Address: address, Action: "accept"}
	if p := d.server.found.Parameters["milter_protocol"]; p != "6" {
		a.Protocol = 6 // for mailweir alone: another milter may need what is set
	}
	var others []string
	for _, word := range words {
		if !d.mailweir(word) && !d.names(word, append(before, address)) {
			others = append(others, word)
			continue
		}
		if m, err := postfix.ParseMilters(word); err == nil {
			if action, ok := m[0].Option("default_action"); ok {
				a.Action = action
			}
		}
	}
	if len(others) == len(words) {
		return postfix.Attach(raw, a), nil
	}
	return postfix.Attach(strings.Join(others, ", "), a), nil
}

// names reports whether a word of a list is one of these addresses.
func (d *postfixDraft) names(word string, addresses []string) bool {
	m, err := postfix.ParseMilters(word)
	return err == nil && len(m) == 1 && slices.Contains(addresses, m[0].Address)
}

// mailweir recognizes an entry that somebody has made by hand, perhaps by a parameter of its own
// ($mailweir).
func (d *postfixDraft) mailweir(word string) bool {
	if name, ok := strings.CutPrefix(word, "$"); ok {
		word = d.server.found.Set[strings.Trim(name, "{}()")]
	}
	entries, err := postfix.ParseMilters(word)
	if err != nil || len(entries) != 1 {
		return false
	}
	address := entries[0].Address
	return slices.Contains(d.server.listen, address) || strings.HasSuffix(address, "/mailweir.sock")
}

// attachService changes what a service has of its own.
func (d *postfixDraft) attachService(v server, address string, before []string) error {
	raw, own := v.Overrides[milters]
	switch {
	case v.kind == reinject:
		// What comes back has been judged. A list of its own stays: it does not have mailweir.
		if !own && !slices.Contains(postfix.SplitList(d.server.found.Value(v.Service, "receive_override_options")), "no_milters") {
			return d.override(v, milters, "")
		}
		return nil
	case own && (raw != "" || v.kind == mx):
		value, err := d.attached(raw, address, before)
		if err != nil {
			return fmt.Errorf("master.cf: %s: %s: %w", v.Key(), milters, err)
		}
		if err := d.override(v, milters, value); err != nil {
			return err
		}
	}
	if v.kind != mx {
		return nil
	}
	for _, name := range []string{"smtpd_soft_error_limit", "smtpd_hard_error_limit"} {
		if n, err := strconv.Atoi(d.server.found.Value(v.Service, name)); err == nil && n >= errorLimit {
			continue
		}
		if err := d.override(v, name, strconv.Itoa(errorLimit)); err != nil {
			return err
		}
	}
	return nil
}

// override sets a parameter of a service.
func (d *postfixDraft) override(v server, name, value string) error {
	raw, own := v.Overrides[name]
	if own && raw == value {
		return nil
	}
	d.note(v.Key(), name, raw, own, value)
	return d.SetOverride(v.Key(), name, value)
}

func (d *postfixDraft) note(service, name, before string, set bool, after string) {
	s := setting{Service: service, Name: name, After: after}
	if set {
		s.Before = &before
	}
	d.settings = append(d.settings, s)
}

// setAction changes default_action in our entries.
func (s *postfixServer) setAction(ctx context.Context, address, action string) ([]Change, []setting, error) {
	return s.edit(ctx, func(d *postfixDraft) error {
		for _, name := range []string{milters, otherMilters} {
			value, found := postfix.WithAction(s.found.Set[name], address, action)
			if !found {
				continue
			}
			d.note("", name, s.found.Set[name], true, value)
			if err := d.Set(ctx, name, value); err != nil {
				return err
			}
		}
		for _, v := range servers(s.found) {
			if value, found := postfix.WithAction(v.Overrides[milters], address, action); found {
				if err := d.override(v, milters, value); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// detach takes our settings out of files that others have changed since.
func (s *postfixServer) detach(ctx context.Context, r *record) (changes []Change, left []string, err error) {
	changes, _, err = s.edit(ctx, func(d *postfixDraft) error {
		for _, was := range r.Settings {
			now, set := s.found.Set[was.Name]
			if was.Service != "" {
				v := s.found.Service(was.Service)
				if v == nil {
					left = append(left, "master.cf: the service "+was.Service+" is gone")
					continue
				}
				now, set = v.Overrides[was.Name]
			}
			said, err := d.restore(ctx, was, now, set, r.Address)
			if err != nil {
				return err
			}
			if said != "" {
				left = append(left, said)
			}
		}
		return nil
	})
	return changes, left, err
}

// restore takes one setting back: a list of milters loses us and keeps what else is there; any
// other value counts only if it is still the one that init has written.
func (d *postfixDraft) restore(ctx context.Context, was setting, now string, set bool, address string) (left string, err error) {
	value := now
	switch {
	case !set || was.Before != nil && now == *was.Before:
		return "", nil
	case (was.Name == milters || was.Name == otherMilters) && was.After != "":
		if value = postfix.Detach(now, address); value == now {
			return "", nil
		}
		if was.Before != nil && sameMilters(value, *was.Before) {
			value = *was.Before
		}
	case now != was.After:
		return fmt.Sprintf("%s = %s was changed since and stays", strings.TrimPrefix(was.Service+"/"+was.Name, "/"), now), nil
	case was.Before != nil:
		value = *was.Before
	default:
		value = ""
	}
	remove := was.Before == nil && value == ""
	switch {
	case was.Service == "" && remove:
		return "", d.Remove(ctx, was.Name)
	case was.Service == "":
		return "", d.Set(ctx, was.Name, value)
	case remove:
		return "", d.RemoveOverride(was.Service, was.Name)
	}
	return "", d.SetOverride(was.Service, was.Name, value)
}

func sameMilters(a, b string) bool { return slices.Equal(postfix.SplitList(a), postfix.SplitList(b)) }
