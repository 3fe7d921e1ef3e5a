package content

import (
	"slices"
	"strings"

	"mailweir/internal/content/param"
)

// partHeader is what a part's header says about its body, in one reading. Mail readers differ where
// a field stands twice or is badly written: what they differ in makes further readings.
type partHeader struct {
	mediaType string            // lower case, "" when absent
	params    map[string]string // of Content-Type: boundary; or charset, format, delsp
	encoding  string            // of those that are decoded
	attached  bool              // shown as an attachment and not as text of the message
	names     []string          // that mail readers may offer, decoded, the likeliest first

	types        []mediaType // readings of Content-Type, the likeliest first
	encodings    []string
	dispositions []string
	named        bool   // no reader overlooks that there is a name
	typed        string // the first Content-Type field, and whether another differs
	disposed     string // the same of Content-Disposition
	doubled      bool
	description  string  // Content-Description
	cut          []Limit // of what there was more than is taken
}

// mediaType is one reading of a Content-Type field.
type mediaType struct {
	name   string
	params map[string]string
}

// maxReadings bounds the ways in which one part is read.
const maxReadings = 8

// saysOfBody reports whether a field of that name may be one that set heeds.
func saysOfBody(name string) bool {
	return len(name) >= 5 && (strings.EqualFold(name[:5], "conte") || strings.EqualFold(name[:5], "x-sun"))
}

// set takes one unfolded field.
func (h *partHeader) set(name, value string) {
	if !saysOfBody(name) {
		return
	}
	switch strings.ToLower(name) {
	case "content-type":
		h.contentType(value)
	case "content-transfer-encoding":
		for _, encoding := range transferEncodings(value) {
			h.encodings = h.addReading(h.encodings, encoding)
		}
		h.encoding = h.encodings[0]
	case "content-disposition":
		h.disposition(value)
	case "content-description":
		h.description = value
	case "content-name", "x-sun-data-name": // not in any RFC; Thunderbird takes them for parts without a name
		h.addNames([]string{value}, false)
	}
}

func (h *partHeader) contentType(value string) {
	h.double(&h.typed, value)
	name, clean := param.MediaType(value)
	p := h.parameters(value)
	h.addNames(p.Values("name"), p.Strictly("name"))
	h.addNames(p.Values("filename"), false)
	for _, params := range p.Choices(isMultipart(name)) {
		h.addType(mediaType{name, params})
	}
	if !isMultipart(name) && len(p.Values("boundary")) > 0 { // some readers look for nothing else
		for _, params := range p.Choices(true) {
			h.addType(mediaType{"multipart/mixed", params})
		}
	}
	if !clean { // what is no media type means text (RFC 2045 section 5.2)
		h.addType(mediaType{"text/plain", p.First()})
	}
	h.mediaType, h.params = h.types[0].name, h.types[0].params
}

func isMultipart(mediaType string) bool {
	return strings.HasPrefix(mediaType, "multipart/") || mediaType == "multipart"
}

func (h *partHeader) addType(t mediaType) {
	if len(h.types) == maxReadings { // whether it is a new one is not worth a look at long fields
		h.reach(LimitReadings)
		return
	}
	matters := t.matters()
	for _, o := range h.types {
		if o.matters() == matters {
			return
		}
	}
	h.types = append(h.types, t)
}

// matters is what of a media type changes how the part is read.
func (t mediaType) matters() string {
	if isMultipart(t.name) {
		return t.name + "\n" + t.params["boundary"]
	}
	return t.name + "\n" + strings.ToLower(t.params["charset"]+"\n"+t.params["format"]+"\n"+t.params["delsp"])
}

func (h *partHeader) disposition(value string) {
	h.double(&h.disposed, value)
	p, word := h.parameters(value), param.Word(value)
	h.dispositions = h.addReading(h.dispositions, word)
	if first := param.FirstToken(strings.TrimLeft(word, ` "'`)); first != word {
		h.dispositions = h.addReading(h.dispositions, first)
	}
	h.addNames(p.Values("filename"), p.Strictly("filename"))
	h.addNames(p.Values("name"), false)
}

// parameters reads those of a field.
func (h *partHeader) parameters(field string) param.Params {
	p := param.Read(field)
	if p.More {
		h.reach(LimitNames)
	}
	return p
}

// double notes that a field stands twice; first is what it said before.
func (h *partHeader) double(first *string, value string) {
	h.doubled = h.doubled || *first != "" && *first != value
	if *first == "" {
		*first = value
	}
}

func (h *partHeader) addReading(list []string, one string) []string {
	switch {
	case slices.Contains(list, one):
	case len(list) == maxReadings:
		h.reach(LimitReadings)
	default:
		list = append(list, one)
	}
	return list
}

func (h *partHeader) reach(limits ...Limit) {
	for _, limit := range limits {
		if !slices.Contains(h.cut, limit) {
			h.cut = append(h.cut, limit)
		}
	}
}

func (h partHeader) clone() partHeader {
	h.names, h.types, h.cut = slices.Clone(h.names), slices.Clone(h.types), slices.Clone(h.cut)
	h.encodings, h.dispositions = slices.Clone(h.encodings), slices.Clone(h.dispositions)
	return h
}

// readings are the ways to read the part, the likeliest first; the names are the same in all.
func (h *partHeader) readings() (list []partHeader) {
	types := h.types
	if len(types) == 0 {
		types = []mediaType{{h.mediaType, h.params}}
	}
	for _, t := range types {
		for i, encoding := range h.encodings {
			if i > 0 && isMultipart(t.name) {
				break // has none
			}
			list = h.addAttached(list, t, encoding)
		}
		if len(h.encodings) == 0 {
			list = h.addAttached(list, t, "")
		}
	}
	if len(list) > maxReadings {
		h.reach(LimitReadings)
		list = list[:maxReadings]
	}
	return list
}

// addAttached adds a reading, or two where some readers show a text and others offer it as a file.
func (h *partHeader) addAttached(list []partHeader, t mediaType, encoding string) []partHeader {
	one := partHeader{mediaType: t.name, params: t.params, encoding: encoding, names: h.names, description: h.description}
	attachment := slices.Contains(h.dispositions, "attachment")
	one.attached = attachment || len(h.names) > 0
	list = append(list, one)
	if showsAsText(t.name) && one.attached && (h.doubled || !h.named && (len(h.dispositions) > 1 || !attachment)) {
		one.attached = false
		list = append(list, one)
	}
	return list
}

// showsText reports whether what has no parts is shown as text of the message, and is no file.
func (h *partHeader) showsText() bool { return showsAsText(h.mediaType) && !h.attached }

// showsAsText tells the media types that a mail reader shows as text of the message; a multipart
// without boundary is one.
func showsAsText(mediaType string) bool {
	major, _, proper := strings.Cut(mediaType, "/")
	return !proper || major == "text" || major == "multipart"
}
