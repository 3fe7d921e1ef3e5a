package filetype

// Marks looks for what a file is at places behind its first octets: disk images have their marks in
// the sectors from 32 KiB on, or at their end. It is given the file piece by piece. The zero value
// is ready for use.
type Marks struct {
	size        int64
	descriptors [descriptors][5]byte
	tail        [tailSize]byte // the last octets, at the end of the array
}

// A volume for CDs has a descriptor in each sector of 2,048 octets from the 16th on, of which the
// octets 1 to 5 name the standard: CD001 (ECMA-119 section 8.1), or BEA01, NSR02 and NSR03
// (ECMA-167 part 2 section 9.1 and part 3 section 9.1: UDF).
const (
	firstDescriptor = 16 * 2048
	descriptors     = 16
)

// tailSize is what the marks at the end take: the footers of a virtual hard disk (Virtual Hard Disk
// Image Format Specification, "Hard Disk Footer Format") and of a disk image of macOS ("koly").
const tailSize = 512

// Write takes the next piece.
func (m *Marks) Write(p []byte) (int, error) {
	for i := range m.descriptors {
		m.collect(m.descriptors[i][:], firstDescriptor+int64(i)*2048+1, p)
	}
	if n := len(p); n >= tailSize {
		copy(m.tail[:], p[n-tailSize:])
	} else {
		copy(m.tail[:], m.tail[n:])
		copy(m.tail[tailSize-n:], p)
	}
	m.size += int64(len(p))
	return len(p), nil
}

// collect copies those octets of p to into that lie there, at the offset at of the file.
func (m *Marks) collect(into []byte, at int64, p []byte) {
	from, to := max(at, m.size), min(at+int64(len(into)), m.size+int64(len(p)))
	if from < to {
		copy(into[from-at:], p[from-m.size:to-m.size])
	}
}

// Real is the media type by these marks, "" where there are none.
func (m *Marks) Real() string {
	udf := false
	for _, d := range m.descriptors {
		switch string(d[:]) {
		case "CD001":
			return ISO
		case "BEA01", "NSR02", "NSR03":
			udf = true
		}
	}
	switch {
	case udf:
		return UDF
	case m.size >= tailSize && string(m.tail[:8]) == "conectix", m.size >= tailSize && string(m.tail[1:9]) == "conectix":
		return VHD
	case m.size >= tailSize && string(m.tail[:4]) == "koly":
		return DMG
	}
	return ""
}

// The media types of disk images.
const (
	ISO  = "application/x-iso9660-image"
	UDF  = "application/x-udf-image"
	VHD  = "application/x-vhd-disk"
	VHDX = "application/x-vhdx-disk"
	VMDK = "application/x-vmdk-disk"
	DMG  = "application/x-apple-diskimage"
)
