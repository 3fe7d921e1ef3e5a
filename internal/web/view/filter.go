package view

// Filter is the form above a list: what somebody wrote into its fields, right or wrong.
type Filter struct {
	Since, Until                      string
	Client, Login, Host               string
	Sender, Recipient                 string
	Check, NotCheck                   string
	Code, Mode, Action, Fate          string
	Service, Direction                string
	MessageID, QueueID, Session, Text string
	// Show is "" for decisions, "messages", or "all" for both.
	Show string
	// Wrong says what is wrong with a field, by its name.
	Wrong []Wrong
	// Checks are the names of all checks.
	Checks []string
}

// Wrong is a field of a form that cannot be read, and why.
type Wrong struct{ Label, Why string }

// set reports whether anything beyond the first line of the form is set, so that it is shown open.
func (f Filter) set() bool {
	for _, s := range []string{f.Login, f.Host, f.NotCheck, f.Code, f.Mode, f.Action, f.Fate, f.Service, f.Direction, f.MessageID, f.QueueID, f.Session, f.Until} {
		if s != "" {
			return true
		}
	}
	return false
}

// Rejections is the page of the list.
type Rejections struct {
	Filter
	Rows []Row
	// Tabs are the kinds of entries that can be chosen by one click.
	Tabs []Tab
	// Newest and Older are the neighbouring pages, Live the rows to come, CSV and JSON the whole
	// list for other programs; "" is none.
	Newest, Older, Live, CSV, JSON string
	// Reached says how far a search by text came, "" for to the end.
	Reached string
	// Back is how far the record goes back, "" where it is empty.
	Back string
}

// Tab is a link to a part of a list.
type Tab struct {
	Link
	Here bool
}
