package content

import (
	"bytes"
	"io"
	"path"
	"strings"

	"mailweir/internal/charset"
	"mailweir/internal/content/filetype"
	"mailweir/internal/content/rtf"
	"mailweir/internal/content/source"
)

// maxSniff is the octets at its start by which the real type of a file is told.
const maxSniff = 3072

// file is an attachment or a member of an archive.
type file struct {
	name     string   // decoded; members with the names of what holds them before it
	others   []string // further names that programs may give it
	declared string   // media type, "" for members
	charset  string
	member   string  // path inside the archive, "" for attachments
	document bool    // it is an archive that begins as a document
	styles   *styles // of the document, if it is one
	depth    int
}

// attachment examines a part that a mail reader offers for opening.
func (w *walk) attachment(h *partHeader, names []string, r io.Reader, depth int) {
	if w.x.needs == 0 {
		w.copy(nil, r)
		return
	}
	w.file(named(file{declared: h.mediaType, charset: h.params["charset"], depth: depth}, names), r)
}

// shownScript notes a part that some mail programs show as text, and others as a file that runs: a
// nameless text/javascript becomes ATT00001.js.
func (w *walk) shownScript(h *partHeader) {
	if w.x.needs == 0 || filetype.OfMediaType(h.mediaType) == "" {
		return
	}
	part := Part{Declared: h.mediaType}
	part.classify(kind{real: "text/plain", text: true}, nil, "")
	w.note(part)
}

// file notes a file and examines what is in it, to its end.
func (w *walk) file(f file, r io.Reader) {
	if !w.borrow(fileMemory) {
		return
	}
	defer w.giveBack(fileMemory)
	holder := w.place
	w.place = clip(f.name)
	sums := w.x.summer(r)
	all := &listener{r: sums}
	defer all.end() // in any case, because a reading that has begun holds memory
	in := source.New(all)
	head, _ := in.Peek(maxSniff)
	k := kindOf(head)
	look := newCloserLook(k)
	ahead, _ := in.Peek(in.Buffered())
	all.add(look, ahead)
	index := len(w.x.result.Parts)
	w.noteFile(f, k, head, false)
	outer := w.found
	w.found = found{}
	if f.depth > w.x.examiner.limits.Depth {
		w.x.reach(LimitDepth)
	} else {
		w.inside(f, k, all, in)
	}
	w.copy(nil, in)
	w.x.matchSums(sums)
	for i := range 1 + len(f.others) {
		noted := &w.x.result.Parts[index+i]
		noted.Size = sums.size
		sums.fill(noted)
		look.note(noted)
		w.found.note(noted)
	}
	w.found, w.place = outer, holder
	if strings.EqualFold(path.Base(f.member), "vbaProject.bin") {
		w.found.macros = true // of the document that holds it
	}
}

// fileMemory is what reading a file takes: buffers, and a decompressor's window and tables.
const fileMemory = 64 << 10

// borrow takes memory from the budget of all examinations; without it the examination fails.
func (w *walk) borrow(n int) bool {
	if w.x.examiner.pool.budget.take(n) {
		return true
	}
	w.x.fail(ErrMemory)
	return false
}

// takeSpare takes memory for unpacking, which may use a half of the budget only: text and HTML must
// not run short because of archives. Without it the archive is too large.
func (w *walk) takeSpare(n int) bool {
	if w.x.examiner.pool.budget.takeSpare(n) {
		return true
	}
	w.x.reach(LimitLarge)
	return false
}

func (w *walk) giveBack(n int) { w.x.examiner.pool.budget.give(n) }

// spare is the memory for unpacking as a decoder sees it.
type spare struct{ w *walk }

func (s spare) Take(n int) bool { return s.w.takeSpare(n) }
func (s spare) Give(n int)      { s.w.giveBack(n) }

// found is what the inside of a file tells about the file.
type found struct {
	macros    bool
	encrypted bool
	program   bool // it is run as a whole: a Java archive
	installer bool // a package for the Windows installer
}

func (f *found) add(more found) {
	f.macros = f.macros || more.macros
	f.encrypted = f.encrypted || more.encrypted
	f.program = f.program || more.program
	f.installer = f.installer || more.installer
}

// note adds it to what is noted of the file.
func (f *found) note(p *Part) {
	p.Macros = p.Macros || f.macros
	p.Encrypted = p.Encrypted || f.encrypted
	if f.installer {
		p.Real = installer
	}
	if f.program || f.installer {
		p.Program, p.Executable = true, true
	}
}

// ratioFrom is the size from which the expansion of a member is looked at: small texts of one
// letter are honest.
const ratioFrom = 1 << 20

// expansion bounds what comes out of a decompressor.
type expansion struct {
	w      *walk
	r      io.Reader
	packed *source.Reader // where the compressed octets come from
	start  int64
	out    int64
	over   bool // a limit ended it

	clipped func() bool // the decoder had less memory than it was to have: that may be why it fails; nil for never
}

func (w *walk) expand(r io.Reader, packed *source.Reader) *expansion {
	return &expansion{w: w, r: r, packed: packed, start: packed.Used()}
}

func (e *expansion) Read(p []byte) (int, error) {
	limits := e.w.x.examiner.limits
	switch {
	case e.over:
		return 0, io.EOF
	case e.w.expanded >= limits.Expanded:
		return e.end(LimitExpanded)
	case e.out > ratioFrom && e.out > (e.packed.Used()-e.start+1)*int64(limits.Ratio):
		return e.end(LimitRatio)
	case e.w.x.halted():
		return 0, errStopped
	}
	n, err := e.r.Read(p)
	e.out += int64(n)
	e.w.expanded += int64(n)
	if err != nil && err != io.EOF {
		if e.clipped != nil && e.clipped() {
			e.w.x.reach(LimitLarge)
		} else {
			e.w.x.reach(LimitUnreadable)
		}
		err = io.EOF
	}
	return n, err
}

// survive is deferred around decoders that are not ours, because hostile input is their daily
// bread.
func (w *walk) survive() {
	if recover() != nil {
		w.x.reach(LimitUnreadable)
	}
}

func (e *expansion) end(limit Limit) (int, error) {
	e.w.x.reach(limit)
	e.over = true
	return 0, io.EOF
}

// member examines a member of an archive; false when there were too many. Programs differ in which
// of its names they take, the likeliest is the first.
func (w *walk) member(holder file, encrypted bool, r io.Reader, names ...string) bool {
	if w.parts++; w.parts > w.x.examiner.limits.Parts {
		w.x.reach(LimitParts)
		return false
	}
	f := file{depth: holder.depth + 1}
	var all []string
	for _, name := range names {
		name = charset.Decode("", strings.ReplaceAll(name, `\`, "/"))
		all = addNames(all, namesAsSaved(name)...)
	}
	if len(all) == 0 {
		all = []string{""}
	}
	w.noteNames(all)
	for i, name := range all {
		full := name
		if holder.name != "" {
			full = holder.name + "/" + name
		}
		if i == 0 {
			f.name, f.member = full, name
		} else {
			f.others = append(f.others, full)
		}
	}
	if r == nil || encrypted {
		w.noteFile(f, kind{}, nil, encrypted)
		return true
	}
	w.file(f, r)
	return true
}

// hasPrefix is bytes.HasPrefix for a literal.
func hasPrefix(b []byte, prefix string) bool { return bytes.HasPrefix(b, []byte(prefix)) }

// rtf examines the text of a Rich Text file.
func (w *walk) rtf(in *source.Reader) {
	s := w.x.sink(Attachments)
	a := newAside(w, s)
	rtf.Text(in.Reader, rtf.Output{Shown: s, Beside: &a.beside, Hidden: &a.hidden, Paragraph: a.paragraph})
	a.flush()
	s.end()
}
