package backend

import "time"

// Observer is who is told how the backends of a process fare, for its log and its metrics. Any
// function may be nil, and so may the Observer; none may wait, or use the backend.
type Observer struct {
	// Opened and Closed are called when a backend comes into use and when it goes. Two of one name
	// may be open at once, while a reload replaces one.
	Opened, Closed func(name string)
	// Down is called when a backend is lost, Up when it is back.
	Down func(name string, err error)
	Up   func(name string)
	// Suspended is called when a backend that answers begins to be used for nothing for a part of
	// what it is asked about, such as a domain, and with an empty why when it is used for it again.
	Suspended func(name, part, why string)
	// Call is called after each call, with how long it took and its error.
	Call func(name string, took time.Duration, err error)
}

// Watch returns the options of a backend that tells o how it fares, beside what they have it tell
// already. The backend must be opened and closed.
func (o *Observer) Watch(options Options) Options {
	if o == nil {
		return options
	}
	name, own := options.Name, options
	if o.Opened != nil {
		o.Opened(name)
	}
	options.OnDown = func(err error) {
		if own.OnDown != nil {
			own.OnDown(err)
		}
		if o.Down != nil {
			o.Down(name, err)
		}
	}
	options.OnUp = func() {
		if own.OnUp != nil {
			own.OnUp()
		}
		if o.Up != nil {
			o.Up(name)
		}
	}
	options.OnCall = func(took time.Duration, err error) {
		if own.OnCall != nil {
			own.OnCall(took, err)
		}
		if o.Call != nil {
			o.Call(name, took, err)
		}
	}
	options.OnClose = func() {
		if own.OnClose != nil {
			own.OnClose()
		}
		if o.Closed != nil {
			o.Closed(name)
		}
	}
	return options
}
