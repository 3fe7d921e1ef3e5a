package content

// omission is a second reading of paragraphs in which something does not show after all, or not in
// every program. What was read with it counts; an entry that is found only without it does, too.
type omission struct {
	w     *walk
	shown *sink
	text  *secondText // nil until there is one
}

// read reads a paragraph without the runs that do not show, if there are any.
func (o *omission) read(p *styledText, hides func(style string) bool) {
	at, less := 0, false
	for _, run := range p.runs {
		if run.begin < at || !hides(run.style) {
			continue
		}
		o.put(p.text[at:run.begin])
		at, less = run.end, true
	}
	if less {
		o.put(p.text[at:])
		o.text.sink.end()
	}
}

func (o *omission) put(text []byte) {
	if o.text == nil {
		if o.text = o.w.x.secondText(o.shown); o.text == nil {
			return
		}
		o.text.sink.window.words = false
	}
	o.text.put(text)
}

// end counts what was found.
func (o *omission) end() {
	x := o.w.x
	o.shown.end()
	x.flush()
	for entry, h := range o.text.end() {
		if x.hits[entry] == nil {
			x.hits[entry] = h
		} else {
			x.dropHit()
		}
	}
	o.text.release()
}
