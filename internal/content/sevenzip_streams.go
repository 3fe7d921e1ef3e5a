package content

// sevenZipStreams is what a header tells of packed streams.
type sevenZipStreams struct {
	packedAt int64    // where the first packed stream begins, behind the start header
	packed   []uint64 // sizes of the packed streams
	folders  []sevenZipFolder
	sizes    []uint64 // of members that are not the last of their folder
}

// sevenZipFolder is members that are packed together.
type sevenZipFolder struct {
	coders  []sevenZipCoder // none if they are more, or more entangled, than anyone needs
	binds   [][2]uint64     // input of a coder, and the output that it takes
	inputs  uint64          // packed streams
	outputs uint64          // of all coders
	streams uint64          // members
	sum     bool            // a checksum is known

	encrypted bool
}

// sevenZipCoder is one step of unpacking.
type sevenZipCoder struct {
	id         string
	properties []byte
	size       uint64 // octets that come out
}

const (
	maxCoders  = 4
	maxFolders = 2000 // more are listed and not unpacked: of each a member, and those are bounded too
)

// encrypted says whether a password is needed for any of them.
func (s *sevenZipStreams) encrypted() bool {
	for _, f := range s.folders {
		if f.encrypted {
			return true
		}
	}
	return false
}

func (c *sevenZipCursor) streams() (s sevenZipStreams) {
	for !c.failed {
		switch c.byte() {
		case szPackInfo:
			s.packedAt = int64(c.number())
			c.packInfo(&s)
		case szUnpackInfo:
			c.unpackInfo(&s)
		case szSubStreams:
			c.subStreams(&s)
		case 0:
			return s
		default:
			c.failed = true
		}
	}
	return s
}

func (c *sevenZipCursor) packInfo(s *sevenZipStreams) {
	streams := c.number()
	for !c.failed {
		switch c.byte() {
		case szSize:
			for i := uint64(0); c.more(i, streams); i++ {
				s.packed = append(s.packed, c.number())
			}
		case szCRC:
			c.digests(streams)
		case 0:
			return
		default:
			c.failed = true
		}
	}
}

func (c *sevenZipCursor) unpackInfo(s *sevenZipStreams) {
	for !c.failed {
		switch c.byte() {
		case szFolder:
			n, external := c.number(), c.byte()
			c.failed = c.failed || external != 0
			for i := uint64(0); c.more(i, n); i++ {
				folder := c.folder()
				if i >= maxFolders {
					folder.coders, folder.binds = nil, nil
				}
				s.folders = append(s.folders, folder)
			}
		case szUnpackSize:
			for i := range s.folders {
				c.unpackSizes(&s.folders[i])
			}
		case szCRC:
			defined := c.digests(uint64(len(s.folders)))
			for i := range s.folders {
				s.folders[i].sum = defined(uint64(i))
			}
		case 0:
			return
		default:
			c.failed = true
		}
	}
}

func (c *sevenZipCursor) unpackSizes(f *sevenZipFolder) {
	for k := uint64(0); c.more(k, f.outputs); k++ {
		if size := c.number(); k < uint64(len(f.coders)) {
			f.coders[k].size = size
		}
	}
}

// folder reads how one folder is packed.
func (c *sevenZipCursor) folder() sevenZipFolder {
	f := sevenZipFolder{streams: 1}
	coders := c.number()
	var inputs uint64
	simple := coders <= maxCoders
	for i := uint64(0); c.more(i, coders); i++ {
		flag := c.byte()
		coder := sevenZipCoder{id: string(c.take(int(flag & 0x0f)))}
		in, out := uint64(1), uint64(1)
		if flag&0x10 != 0 {
			in, out = c.number(), c.number()
		}
		if flag&0x20 != 0 {
			coder.properties = c.take(c.size())
		}
		f.encrypted = f.encrypted || coder.id == szAES
		inputs, f.outputs = inputs+in, f.outputs+out
		if simple = simple && in == 1 && out == 1; simple {
			f.coders = append(f.coders, coder)
		}
	}
	pairs := f.outputs - 1
	if f.outputs == 0 || inputs < pairs {
		c.failed = true
		return sevenZipFolder{}
	}
	for i := uint64(0); c.more(i, pairs); i++ {
		in, out := c.number(), c.number()
		if simple {
			f.binds = append(f.binds, [2]uint64{in, out})
		}
	}
	if f.inputs = inputs - pairs; f.inputs > 1 {
		for i := uint64(0); c.more(i, f.inputs); i++ {
			c.number()
		}
	}
	if !simple {
		f.coders = nil
	}
	return f
}

func (c *sevenZipCursor) subStreams(s *sevenZipStreams) {
	for !c.failed {
		switch c.byte() {
		case szUnpackStreams:
			for i := range s.folders {
				s.folders[i].streams = c.number()
			}
		case szSize:
			for _, f := range s.folders {
				for k := uint64(1); c.more(k, f.streams); k++ {
					s.sizes = append(s.sizes, c.number())
				}
			}
		case szCRC:
			var unknown uint64
			for _, f := range s.folders {
				if f.streams != 1 || !f.sum {
					unknown += f.streams
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
