package attempts_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record/attempts"
)

// Every mail to a recipient is one chain, whoever sent it; other recipients do not count.
func TestGroup(t *testing.T) {
	h := &history{}
	h.add(
		try{minute: 0, fate: policy.Deferred},
		try{minute: 3, fate: policy.Refused, from: "mallory@else.example"},
		try{minute: 5, fate: policy.Accepted, to: "carol@ours.example"},
		try{minute: 12, fate: policy.Accepted, id: "<1@else.example>"},
		try{minute: 20, fate: policy.Accepted, id: "<2@else.example>"},
	)
	var got []string
	for _, c := range attempts.Group("Bob@OURS.example", h.entries, noon.Add(time.Hour)) {
		got = append(got, fmt.Sprintf("%s %s %d", c.Sender, c, len(c.Attempts)))
	}
	want := "a@else.example accepted after 12m (2 attempts) 2, mallory@else.example refused 1, a@else.example accepted 1"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("chains: %s\nwant %s", text, want)
	}
	if got := attempts.Group("dave@ours.example", h.entries, noon); len(got) != 0 {
		t.Errorf("%d chains to nobody", len(got))
	}
}
