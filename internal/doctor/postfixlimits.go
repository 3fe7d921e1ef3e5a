package doctor

import (
	"strconv"
	"strings"
)

// errorsFor is how many errors a client may make who offers recipients beyond --rcpt-limit-max: a
// message with a thousand recipients more must not end in a 421.
const errorsFor = 1000

func postfixLimitExaminations() []Examination {
	return []Examination{
		{
			ID: "error-limits", About: aboutPostfix, Title: "How many errors of a client Postfix takes",
			Meaning: "Postfix counts each refusal of mailweir as an error of the client, slows it down after `smtpd_soft_error_limit` and hangs up after `smtpd_hard_error_limit`. A client whose recipients beyond `--rcpt-limit-max` are refused is thrown out before it sends what was accepted, and the next attempt ends the same way.",
			Remedy:  "Raise both limits on the service for mail from outside, and only there.",
			Examine: examineErrorLimits,
		},
		{
			ID: "recipient-limit", About: aboutPostfix, Title: "Postfix's own limit of recipients",
			Meaning: "Beyond `smtpd_recipient_limit` Postfix answers 452 by itself, and beyond `smtpd_recipient_overshoot_limit` more each is an error. Where it is lower than `--rcpt-limit-max`, mailweir's limit has no effect.",
			Remedy:  "Leave it at 1000, or lower `--rcpt-limit-max`.",
			Examine: examineRecipientLimit,
		},
		{
			ID: "message-size", About: aboutPostfix, Title: "Postfix's own limit of size",
			Meaning: "`message_size_limit` comes before mailweir: what `--size-max` allows beyond it is refused all the same. What is larger than virus scanners are shown goes on with its end unscanned.",
			Remedy:  "Raise `message_size_limit`, or lower `--size-max`. For scanners: `--virus-oversize=reject`, or a `message_size_limit` that they can take.",
			Examine: examineMessageSize,
		},
		{
			ID: "header-size", About: aboutPostfix, Title: "How much of a header field Postfix keeps",
			Meaning: "What is longer than `header_size_limit` is cut off before mailweir sees it: its checks judge a part of the field, and a signature over the whole one is broken.",
			Remedy:  "The default, 102400.",
			Examine: examineHeaderSize,
		},
		{
			ID: "soft-bounce", About: aboutPostfix, Title: "soft_bounce",
			Meaning: "With `soft_bounce = yes` each refusal becomes a \"try again\": senders keep for days what they should learn at once.",
			Remedy:  "It is for trials: set it to no.",
			Examine: examineSoftBounce,
		},
	}
}

// number is a parameter that is one.
func (a asking) number(name string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(a.value(name)), 10, 64)
	return n, err == nil
}

// forOutside are the services that take mail from clients nobody knows.
func (f *Facts) forOutside() (all []asking) {
	for _, a := range f.askers() {
		if f.kind(a.Postfix, a.service) == mx && !inside(a.service) {
			all = append(all, a)
		}
	}
	return all
}

func examineErrorLimits(f *Facts) (found []Finding) {
	if f.Config.RcptLimit == 0 {
		return nil
	}
	need := int64(f.Config.RcptLimit + errorsFor)
	for _, a := range f.forOutside() {
		hard, hardOK := a.number("smtpd_hard_error_limit")
		soft, softOK := a.number("smtpd_soft_error_limit")
		if !hardOK || !softOK {
			continue // Postfix itself does not take it
		}
		if hard >= need && soft >= need {
			found = append(found, ok(a.subject(), "%d errors before Postfix hangs up", hard))
			continue
		}
		command := a.setOwn(a.service, "smtpd_soft_error_limit", strconv.FormatInt(max(soft, need), 10))
		command = strings.TrimSuffix(command, a.reload()) + " && " + a.setOwn(a.service, "smtpd_hard_error_limit", strconv.FormatInt(max(hard, need), 10))
		level := Remark
		if f.Config.RcptLimitRefuses && hard < need {
			level = Fault
		}
		found = append(found, Finding{
			Level: level, Subject: a.subject(), Command: command,
			Why: "Postfix slows a client down after " + strconv.FormatInt(soft, 10) + " errors and hangs up after " + strconv.FormatInt(hard, 10) +
				", and each recipient beyond --rcpt-limit-max=" + strconv.Itoa(f.Config.RcptLimit) + " is one",
		})
	}
	return found
}

func examineRecipientLimit(f *Facts) (found []Finding) {
	if f.Config.RcptLimit == 0 {
		return nil
	}
	for _, a := range f.forOutside() {
		limit, isNumber := a.number("smtpd_recipient_limit")
		switch {
		case !isNumber:
		case limit <= int64(f.Config.RcptLimit):
			found = append(found, remark(a.subject(), a.set(a.service, "smtpd_recipient_limit", "1000"), "smtpd_recipient_limit is %d: Postfix answers 452 before --rcpt-limit-max=%d does", limit, f.Config.RcptLimit))
		default:
			found = append(found, ok(a.subject(), "%d, more than --rcpt-limit-max=%d", limit, f.Config.RcptLimit))
		}
	}
	return found
}

func examineMessageSize(f *Facts) (found []Finding) {
	for _, a := range f.askers() {
		limit, isNumber := a.number("message_size_limit")
		if !isNumber {
			continue
		}
		switch {
		case f.Config.SizeMax > limit && limit > 0:
			found = append(found, remark(a.subject(), a.set(a.service, "message_size_limit", strconv.FormatInt(f.Config.SizeMax, 10)), "message_size_limit is %d: --size-max=%d never has its turn", limit, f.Config.SizeMax))
		case f.Config.ScanMax > 0 && (limit == 0 || limit > f.Config.ScanMax):
			found = append(found, remark(a.subject(), a.set(a.service, "message_size_limit", strconv.FormatInt(f.Config.ScanMax, 10)), "message_size_limit is %d: the end of messages larger than %d is shown to no virus scanner", limit, f.Config.ScanMax))
		default:
			found = append(found, ok(a.subject(), "message_size_limit is %d", limit))
		}
	}
	return found
}

// usualHeaderSize is Postfix's default.
const usualHeaderSize = 102400

func examineHeaderSize(f *Facts) (found []Finding) {
	for _, a := range f.askers() {
		limit, isNumber := a.number("header_size_limit")
		switch {
		case !isNumber:
		case limit < usualHeaderSize:
			found = append(found, remark(a.subject(), a.set(a.service, "header_size_limit", strconv.Itoa(usualHeaderSize)), "header_size_limit is %d: longer fields are cut off before mailweir sees them", limit))
		default:
			found = append(found, ok(a.subject(), "%d octets", limit))
		}
	}
	return found
}

func examineSoftBounce(f *Facts) (found []Finding) {
	for _, a := range f.askers() {
		if a.Bool(a.service, "soft_bounce") {
			found = append(found, remark(a.subject(), a.set(a.service, "soft_bounce", "no"), "soft_bounce turns each refusal into \"try again\""))
		}
	}
	return found
}
