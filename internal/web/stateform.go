package web

import (
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/policy"
	"mailweir/internal/web/view"
)

// form is an operation as a form: a field for its arguments, and one for each of its flags. They
// are those of the command, and so are the words that are made of them.
type form struct {
	group policy.OperationGroup
	op    policy.Operation
	set   *pflag.FlagSet
}

func newForm(g policy.OperationGroup, op policy.Operation) form {
	set := pflag.NewFlagSet(op.Name, pflag.ContinueOnError)
	set.Usage = func() {}
	op.Request(policy.NewFlags(set, ""))
	return form{g, op, set}
}

// argsField is the name of the field for arguments. No flag is called so.
const argsField = "args"

// paging are flags that the pages of a list stand for.
func paging(flag string) bool { return flag == "limit" }

// fields are the fields with what has been filled in.
func (f form) fields(values url.Values) (fields []view.OpField) {
	id := func(name string) string { return f.group.Name + "-" + f.op.Name + "-" + name }
	if f.op.Args != "" {
		fields = append(fields, view.OpField{ID: id(argsField), Name: argsField, Label: "Address", Hint: f.op.Args, Value: values.Get(argsField)})
		if !strings.Contains(f.op.Args, "ADDRESS") {
			fields[0].Label = capital(f.op.Args)
			fields[0].Hint = ""
		}
	}
	f.set.VisitAll(func(flag *pflag.Flag) {
		if paging(flag.Name) {
			return
		}
		fields = append(fields, view.OpField{
			ID: id(flag.Name), Name: flag.Name, Label: capital(flag.Name), Hint: flag.Usage, Value: values.Get(flag.Name),
			Check: flag.Value.Type() == "on|off", Checked: values.Get(flag.Name) == "on",
		})
	})
	return fields
}

// capital writes the name of a flag, or of an argument, as that of a field.
func capital(name string) string {
	name = strings.ToLower(strings.ReplaceAll(name, "-", " "))
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// filled reports whether anything has been filled in.
func (f form) filled(values url.Values) bool {
	filled := strings.TrimSpace(values.Get(argsField)) != ""
	f.set.VisitAll(func(flag *pflag.Flag) { filled = filled || values.Get(flag.Name) != "" })
	return filled
}

// words are those of the command that does what has been filled in.
func (f form) words(values url.Values) (words []string) {
	f.set.VisitAll(func(flag *pflag.Flag) {
		if value := strings.TrimSpace(values.Get(flag.Name)); value != "" && !paging(flag.Name) {
			words = append(words, "--"+flag.Name+"="+value)
		}
	})
	args := strings.TrimSpace(values.Get(argsField))
	if f.op.Args == "" || args == "" {
		return words
	}
	if strings.HasPrefix(args, "-") {
		words = append(words, "--") // what follows is no flag
	}
	if strings.HasSuffix(f.op.Args, "…") {
		return append(words, strings.Fields(args)...)
	}
	return append(words, args)
}

// values fill the form in with the words of a command.
func (f form) values(words []string) url.Values {
	values := make(url.Values)
	if f.set.Parse(words) != nil {
		return values
	}
	f.set.Visit(func(flag *pflag.Flag) { values.Set(flag.Name, flag.Value.String()) })
	if args := f.set.Args(); len(args) > 0 {
		values.Set(argsField, strings.Join(args, " "))
	}
	return values
}

// aDay is how long an entry lasts unless something else is chosen.
const aDay = "24h"

// opForm is the form of an operation for its page.
func (p *Pages) opForm(g policy.OperationGroup, op policy.Operation, values url.Values) view.OpForm {
	f := newForm(g, op)
	span := values.Get("for")
	if _, chosen := values["for"]; !chosen && op.Effect == policy.Enters {
		span = aDay
	}
	life, _ := lasts(span) // what is wrong is said once it is sent
	return view.OpForm{
		Heading: g.Name + " " + op.Name, Title: op.Title, Help: op.Help, Path: verbPath(g.Name, op.Name), Back: groupPath(g), Group: g.Title,
		Fields: f.fields(values), Enters: op.Effect == policy.Enters, Note: values.Get("note"), For: span,
		Command: command(act{g.Name + "/" + op.Name, f.words(values)}, strings.TrimSpace(values.Get("note")), life),
	}
}

// lasts reads how long an entry is to last; "" is until it is taken back.
func lasts(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	life := policy.NewFlags(set, "").Duration("for", 0, "")
	if err := set.Set("for", text); err != nil {
		return 0, policy.Wrongf("%v", err)
	}
	return *life, nil
}
