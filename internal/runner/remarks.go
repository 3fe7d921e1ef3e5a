package runner

import "mailweir/internal/policy"

// Remarks says what a valid policy has that its administrator may not expect.
func (p *Policy) Remarks() []string {
	var remarks []string
	s := p.Settings
	if s.LocalDomains == nil {
		remarks = append(remarks, "without --local-domains mail from trusted clients is taken as outbound and all other as inbound")
	}
	if s.Cap < policy.Enforce {
		remarks = append(remarks, "--mode="+s.Cap.String()+" caps every check")
	}
	if s.Default != nil {
		remarks = append(remarks, "--default-mode="+s.Default.String()+" is the mode of every check that has none of its own")
	}
	if s.EnforceFor != nil {
		remarks = append(remarks, "--enforce-for: for recipients that are not listed, everything is only monitored")
	}
	if s.MonitorFor != nil {
		remarks = append(remarks, "--monitor-for: for the recipients that are listed, the checks that are named only monitor")
	}
	if s.AnswerAt == policy.StageMail {
		remarks = append(remarks, "--answer-at=mail: what is said about client and sender cannot depend on the recipient, so --always-accept and recipients' permits do not help against it")
	}
	if err := p.spool.Try(); err != nil {
		remarks = append(remarks, "messages over 64KiB cannot be scanned, nor their signatures verified: "+err.Error()+"; name a directory with --scan-spool")
	}
	remarks = append(remarks, p.Warnings()...)
	remarks = append(remarks, p.tables.Remarks()...)
	for _, b := range p.checks {
		remarks = append(remarks, b.hooks.Remarks...)
	}
	return remarks
}
