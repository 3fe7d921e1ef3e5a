package policy

import (
	"encoding/json"
	"strings"
	"testing"
)

// Whatever is asked for, an edit is one field: nothing in a value can end it and begin another.
func TestEditsAreClean(t *testing.T) {
	long := strings.Repeat("long value ", 300) + "end"
	for _, tt := range []struct {
		name string
		edit Edit
		want Edit
		text string
	}{
		{"plain", AddField("X-Tag", "a [b]"), Edit{Kind: EditAdd, Name: "X-Tag", Value: "a [b]"}, "X-Tag: a [b]"},
		{"CR, LF and NUL", AddField("X-Tag", "a\r\nX: b\x00c\n\nd\t"), Edit{Kind: EditAdd, Name: "X-Tag", Value: "a  X: b c  d"}, "X-Tag: a  X: b c  d"},
		{"a name with more in it", AddField("X-Tag: a\r\nX-B", "c"), Edit{Kind: EditAdd, Name: "X-TagaX-B", Value: "c"}, "X-TagaX-B: c"},
		{"not ASCII", AddField("X-T\u00e4g", "\u00fc"), Edit{Kind: EditAdd, Name: "X-Tg", Value: "?"}, "X-Tg: ?"},
		{"long", InsertField(2, "X-Tag", long), Edit{Kind: EditInsert, Name: "X-Tag", Value: long, Nth: 2}, "at 2: X-Tag: " + long},
		{"above the top", InsertField(-1, "X-Tag", "a"), Edit{Kind: EditInsert, Name: "X-Tag", Value: "a"}, "at 0: X-Tag: a"},
		{"replace", ReplaceField("Subject", 0, " a "), Edit{Kind: EditReplace, Name: "Subject", Value: "a", Nth: 1}, "replace 1: Subject: a"},
		{"delete", DeleteField("Subject", 2), Edit{Kind: EditDelete, Name: "Subject", Nth: 2}, "delete 2: Subject"},
		{"quarantine", Quarantine("a\nb"), Edit{Kind: EditQuarantine, Value: "a b"}, "quarantine: a b"},
		{"remove", RemoveRecipient(&Recipient{RcptFacts: RcptFacts{Spelling: "<A@b>"}}), Edit{Kind: EditRemoveRecipient, Value: "<A@b>"}, "remove <A@b>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.edit != tt.want {
				t.Errorf("%+v, want %+v", tt.edit, tt.want)
			}
			if got := tt.edit.String(); got != tt.text {
				t.Errorf("%q, want %q", got, tt.text)
			}
			data, err := json.Marshal(tt.edit)
			if err != nil {
				t.Fatal(err)
			}
			var read Edit
			if err := json.Unmarshal(data, &read); err != nil || read != tt.edit {
				t.Errorf("read as %+v, %v", read, err)
			}
		})
	}
	if got := len(Quarantine(long).Value); got > 200 {
		t.Errorf("a reason of %d octets", got)
	}
}
