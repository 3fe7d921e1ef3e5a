package content

// noteFile notes a file under each of its names.
func (w *walk) noteFile(f file, k kind, head []byte, encrypted bool) {
	for i, name := range append([]string{f.name}, f.others...) {
		part := Part{Name: clip(name), Declared: f.declared, Encrypted: encrypted}
		own := f.member
		if own != "" && i > 0 {
			own = name
		}
		part.classify(k, head, own)
		w.note(part)
	}
}

func (w *walk) note(part Part) {
	x := w.x
	if w.again {
		x.again = append(x.again, len(x.result.Parts))
	}
	x.result.Parts = append(x.result.Parts, part)
}

// dropRepeated drops the parts that a second reading has found as another had them.
func (x *Examination) dropRepeated() {
	if len(x.again) == 0 {
		return
	}
	again := map[int]bool{}
	for _, i := range x.again {
		again[i] = true
	}
	known := map[Part]bool{}
	for i, part := range x.result.Parts {
		if !again[i] {
			known[part] = true
		}
	}
	var parts []Part
	for i, part := range x.result.Parts {
		if again[i] && known[part] {
			continue
		}
		known[part] = true
		parts = append(parts, part)
	}
	x.result.Parts = parts
}
