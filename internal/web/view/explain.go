package view

import "mailweir/internal/explain"

// ExplainPage is the form of a case, and what was said of it.
type ExplainPage struct {
	Form       ExplainForm
	Transcript *explain.Transcript
	// Command says the same in a shell.
	Command, Trouble string
}

// ExplainForm is a case as it is written.
type ExplainForm struct {
	Client, Name, Helo, Login, Service, Time, From, To, TLS, Bits, Cert, Size string
	SMTPUTF8, Scanners                                                        bool
}

// wordTone is the colour of what a check says.
func wordTone(w explain.Word) Tone {
	switch {
	case w.Says == "nothing against it":
		return Plain
	case w.Says == "bypassed":
		return Good
	case w.Says == "check error" || w.Mode == "defer":
		return Warn
	case w.Mode == "monitor":
		return Would
	}
	return Bad
}

// answerTone is the colour of an answer.
func answerTone(answer string) Tone {
	switch {
	case len(answer) > 0 && answer[0] == '4':
		return Warn
	case len(answer) > 0 && answer[0] == '5':
		return Bad
	}
	return Good
}
