package sevenzip

// Streams is what a header tells of packed streams.
type Streams struct {
	PackedAt int64    // where the first packed stream begins, behind the start header
	Packed   []uint64 // sizes of the packed streams
	Folders  []Folder
	Sizes    []uint64 // of members that are not the last of their folder
}

// Folder is members that are packed together.
type Folder struct {
	coders  []Coder     // none if they are more, or more entangled, than anyone needs
	binds   [][2]uint64 // input of a coder, and the output that it takes
	outputs uint64      // of all coders
	sum     bool        // a checksum is known

	Inputs    uint64 // packed streams
	Members   uint64
	Encrypted bool
}

// Coder is one step of unpacking.
type Coder struct {
	ID         string
	Properties []byte
	Size       uint64 // octets that come out
}

const (
	maxCoders  = 4
	maxFolders = 2000 // more are listed and not unpacked: of each a member, and those are bounded too
)

// Encrypted says whether a password is needed for any of them.
func (s *Streams) Encrypted() bool {
	for _, f := range s.Folders {
		if f.Encrypted {
			return true
		}
	}
	return false
}

func (c *cursor) streams() (s Streams) {
	for !c.failed {
		switch c.byte() {
		case idPackInfo:
			s.PackedAt = int64(c.number())
			c.packInfo(&s)
		case idUnpackInfo:
			c.unpackInfo(&s)
		case idSubStreams:
			c.subStreams(&s)
		case 0:
			return s
		default:
			c.failed = true
		}
	}
	return s
}

func (c *cursor) packInfo(s *Streams) {
	streams := c.number()
	for !c.failed {
		switch c.byte() {
		case idSize:
			for i := uint64(0); c.more(i, streams); i++ {
				s.Packed = append(s.Packed, c.number())
			}
		case idCRC:
			c.digests(streams)
		case 0:
			return
		default:
			c.failed = true
		}
	}
}

func (c *cursor) unpackInfo(s *Streams) {
	for !c.failed {
		switch c.byte() {
		case idFolder:
			n, external := c.number(), c.byte()
			c.failed = c.failed || external != 0
			for i := uint64(0); c.more(i, n); i++ {
				folder := c.folder()
				if i >= maxFolders {
					folder.coders, folder.binds = nil, nil
				}
				s.Folders = append(s.Folders, folder)
			}
		case idUnpackSize:
			for i := range s.Folders {
				c.unpackSizes(&s.Folders[i])
			}
		case idCRC:
			defined := c.digests(uint64(len(s.Folders)))
			for i := range s.Folders {
				s.Folders[i].sum = defined(uint64(i))
			}
		case 0:
			return
		default:
			c.failed = true
		}
	}
}

func (c *cursor) unpackSizes(f *Folder) {
	for k := uint64(0); c.more(k, f.outputs); k++ {
		if size := c.number(); k < uint64(len(f.coders)) {
			f.coders[k].Size = size
		}
	}
}

// folder reads how one folder is packed.
func (c *cursor) folder() Folder {
	f := Folder{Members: 1}
	coders := c.number()
	var inputs uint64
	simple := coders <= maxCoders
	for i := uint64(0); c.more(i, coders); i++ {
		flag := c.byte()
		coder := Coder{ID: string(c.take(int(flag & 0x0f)))}
		in, out := uint64(1), uint64(1)
		if flag&0x10 != 0 {
			in, out = c.number(), c.number()
		}
		if flag&0x20 != 0 {
			coder.Properties = c.take(c.size())
		}
		f.Encrypted = f.Encrypted || coder.ID == methodAES
		inputs, f.outputs = inputs+in, f.outputs+out
		if simple = simple && in == 1 && out == 1; simple {
			f.coders = append(f.coders, coder)
		}
	}
	pairs := f.outputs - 1
	if f.outputs == 0 || inputs < pairs {
		c.failed = true
		return Folder{}
	}
	for i := uint64(0); c.more(i, pairs); i++ {
		in, out := c.number(), c.number()
		if simple {
			f.binds = append(f.binds, [2]uint64{in, out})
		}
	}
	if f.Inputs = inputs - pairs; f.Inputs > 1 {
		for i := uint64(0); c.more(i, f.Inputs); i++ {
			c.number()
		}
	}
	if !simple {
		f.coders = nil
	}
	return f
}

func (c *cursor) subStreams(s *Streams) {
	for !c.failed {
		switch c.byte() {
		case idUnpackStreams:
			for i := range s.Folders {
				s.Folders[i].Members = c.number()
			}
		case idSize:
			for _, f := range s.Folders {
				for k := uint64(1); c.more(k, f.Members); k++ {
					s.Sizes = append(s.Sizes, c.number())
				}
			}
		case idCRC:
			var unknown uint64
			for _, f := range s.Folders {
				if f.Members != 1 || !f.sum {
					unknown += f.Members
				}
			}
			c.digests(unknown)
		case 0:
			return
		default:
			c.failed = true
		}
	}
}
