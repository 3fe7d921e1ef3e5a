package policy

// Stage is a step of the SMTP dialog at which checks decide (RFC 5321 section 4.1).
type Stage uint8

const (
	StageConnect Stage = iota // the client is known
	StageHelo                 // HELO or EHLO; again after STARTTLS
	StageMail                 // MAIL FROM
	StageRcpt                 // each RCPT TO
	StageHeaders              // the end of the header section
	StageEnd                  // the end of the message
	StageAuth                 // a login, which no milter sees: see [Login]
	stages
)

var stageNames = [...]string{"connect", "helo", "mail", "rcpt", "headers", "end", "auth"}

// String returns the stage as it is written in logs and metrics.
func (s Stage) String() string { return stageNames[s] }

// Stages lists the stages that a milter sees, in the order of the dialog.
func Stages() []Stage {
	return []Stage{StageConnect, StageHelo, StageMail, StageRcpt, StageHeaders, StageEnd}
}
