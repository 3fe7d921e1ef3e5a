package view

import "mailweir/internal/record"

// StatePage is what there is to look at.
type StatePage struct {
	Groups []StateGroup
	// Extent is what the record has, nil where there is none, or where it is not the visitor's
	// business.
	Extent  *record.Extent
	Trouble string
}

// StateGroup is a group of operations.
type StateGroup struct{ Name, Title, Href string }

// GroupPage is a group: its lists, and what can be done.
type GroupPage struct {
	Name, Title string
	Lists       []OpList
	Actions     []StateAction
}

// StateAction leads to the form of an operation.
type StateAction struct{ Verb, Title, Href string }

// OpField is one field of the form of an operation.
type OpField struct {
	ID, Name, Label, Hint, Value string
	// Check makes it a box to tick.
	Check, Checked bool
}

// OpList is a list with the form that chooses what is on it.
type OpList struct {
	ID, Title, Help, Path string
	Fields                []OpField
	// Filter offers a search within the list for what a row holds.
	Filter  bool
	Holding string

	Titles  []string
	Rows    []OpRow
	HasUses bool
	Notes   []string
	// First and Next are other pages of the list, Empty is said where there is no row, Trouble
	// where there is no list.
	First, Next, Empty, Trouble string
}

// OpRow is one row, and what can be done with what it shows.
type OpRow struct {
	Cells []string
	Uses  []Link
}

// OpForm is the form of an operation that changes something, and what came of it.
type OpForm struct {
	Heading, Title, Help, Path, Back, Group string
	Fields                                  []OpField
	// Enters: how long it is to last is asked for.
	Enters    bool
	Note, For string
	// Command does the same in a shell.
	Command string
	// Done, Answer and Trouble are what came of it.
	Done            bool
	Answer, Trouble string
}

// columns are the titles of a list, with one for what can be done.
func (l OpList) columns() []string {
	var columns []string
	for _, title := range l.Titles {
		columns = append(columns, Sentence(title))
	}
	if l.HasUses {
		columns = append(columns, "Actions")
	}
	return columns
}

// Sentence writes a title of a command's table, which is in capitals, as people write.
func Sentence(title string) string {
	if title == "" {
		return ""
	}
	letters := []rune(title)
	for i, r := range letters[1:] {
		if r >= 'A' && r <= 'Z' {
			letters[i+1] = r + 'a' - 'A'
		}
	}
	return string(letters)
}

// cell is the title of a column of a row.
func (l OpList) cell(i int) string {
	if i < len(l.Titles) {
		return Sentence(l.Titles[i])
	}
	return ""
}

// about names a row for those who hear the names of links on their own.
func (r OpRow) about() string {
	if len(r.Cells) == 0 {
		return ""
	}
	return " " + Visible(r.Cells[0])
}
