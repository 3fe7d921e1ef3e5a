package web

import (
	"encoding/json"
	"net/http"
	"strings"

	"mailweir/internal/policy"
	"mailweir/internal/web/view"
)

// pagePolicy is what mail is judged by, pageSettings the flags behind it.
const (
	pagePolicy   = "/policy"
	pageSettings = "/settings"
)

// policy shows how checks and lists stand.
func (p *Pages) policy(w http.ResponseWriter, r *http.Request, v policy.Person) {
	p.render(w, r, http.StatusOK, view.Policy(p.page(r, v, "Policy", pagePolicy), p.policyPage(v)))
}

func (p *Pages) policyPage(v policy.Person) view.PolicyPage {
	now := p.InForce.Policy()
	page := view.PolicyPage{Loaded: now.Loaded, Digest: now.Digest, Admin: v.Role == policy.RoleAdmin}
	for _, c := range now.Checks {
		page.Checks = append(page.Checks, view.CheckState(c))
	}
	for _, f := range now.Files {
		page.Files = append(page.Files, view.PolicyFile{Name: f.Name, Changed: f.Changed, Size: view.Octets(f.Octets), Trouble: f.Err})
	}
	return page
}

// checkPolicy says what a reload would do.
func (p *Pages) checkPolicy(w http.ResponseWriter, r *http.Request, v policy.Person) {
	c := p.InForce.Check(r.Context())
	page := p.policyPage(v)
	page.Checked = &view.PolicyChecked{Trouble: c.Err, Report: c.Report, Files: c.Files}
	for _, change := range c.Changes {
		page.Checked.Changes = append(page.Checked.Changes, view.SettingChange{
			Flag: change.Flag, Before: strings.Split(strings.TrimSpace(change.Before), "\n"), After: strings.Split(strings.TrimSpace(change.After), "\n"),
			From: change.From, Restart: change.Restart,
		})
	}
	p.render(w, r, http.StatusOK, view.Policy(p.page(r, v, "Policy", pagePolicy), page))
}

// reloadPolicy has the daemon read everything again.
func (p *Pages) reloadPolicy(w http.ResponseWriter, r *http.Request, v policy.Person) {
	note := strings.TrimSpace(r.PostFormValue("note"))
	answer, err := json.RawMessage(nil), error(nil)
	if note == "" {
		err = policy.Wrongf("say why in the note, for those who look at it later")
	} else {
		answer, err = p.do(r.Context(), v, "reload", policy.Nothing{}, note, 0)
	}
	said := ""
	if op, ok := p.operation("reload"); ok && err == nil {
		var out strings.Builder
		err = op.Show(&out, answer)
		said = strings.TrimSpace(out.String())
	}
	page := p.policyPage(v)
	page.Reloaded = &view.PolicyReloaded{Trouble: words(err), Says: said, Command: command(act{operation: "reload"}, note, 0)}
	status := http.StatusOK
	if err != nil {
		status = http.StatusConflict
	}
	p.render(w, r, status, view.Policy(p.page(r, v, "Policy", pagePolicy), page))
}

// settings shows the flags that are in force. They are not changed here: files stay the source.
func (p *Pages) settings(w http.ResponseWriter, r *http.Request, v policy.Person) {
	holding := strings.ToLower(r.URL.Query().Get("holding"))
	page := view.SettingsPage{Holding: r.URL.Query().Get("holding"), All: r.URL.Query().Get("defaults") == "on"}
	for _, s := range p.InForce.Settings() {
		if holding != "" && !strings.Contains(strings.ToLower(s.Flag+"\n"+s.Value+"\n"+s.From), holding) {
			continue
		}
		if s.From == "default" && !page.All && holding == "" {
			page.LeftOut++
			continue
		}
		page.Settings = append(page.Settings, view.SettingRow(s))
	}
	p.render(w, r, http.StatusOK, view.Settings(p.page(r, v, "Settings", pageSettings), page))
}
