package doctor

import (
	"context"
	"encoding/base64"
	"io"
	"strings"
	"sync"
	"time"

	"mailweir/internal/clamd"
	"mailweir/internal/rspamd"
	"mailweir/internal/spamd"
	"mailweir/internal/spamscan"
)

// scanWithin is how long a scanner may take for a sample.
const scanWithin = 10 * time.Second

// The samples are put together when they are needed, so that no scanner takes this program for one.
const (
	eicarFront, eicarEnd = `X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-`, `ANTIVIRUS-TEST-FILE!$H+H*`
	gtubeFront, gtubeEnd = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-", "ANTI-UBE-TEST-EMAIL*C.34X"
)

// eicar is a message with the EICAR file attached, gtube one with the line of GTUBE in its text.
func eicar() string {
	file := base64.StdEncoding.EncodeToString([]byte(strings.Join([]string{eicarFront, eicarEnd}, "")))
	return sampleHeader + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nA sample by mailweir doctor.\r\n" +
		"--b\r\nContent-Type: application/octet-stream; name=eicar.com\r\nContent-Disposition: attachment; filename=eicar.com\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n" + file + "\r\n--b--\r\n"
}

func gtube() string {
	return sampleHeader + "Content-Type: text/plain\r\n\r\nA sample by mailweir doctor.\r\n\r\n" + strings.Join([]string{gtubeFront, gtubeEnd}, "") + "\r\n"
}

const sampleHeader = "From: doctor@mailweir.invalid\r\nTo: postmaster@mailweir.invalid\r\nSubject: mailweir doctor\r\n" +
	"Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nMessage-Id: <doctor@mailweir.invalid>\r\nMIME-Version: 1.0\r\n"

// GatherScanners shows each scanner what it must object to. The scanners are as in --virus-scanner
// and --spam-scanner.
func GatherScanners(ctx context.Context, virus, spam []string, clock func() time.Time) []Scanned {
	all := make([]Scanned, len(virus)+len(spam))
	var asking sync.WaitGroup
	for i, spec := range virus {
		asking.Go(func() { all[i] = showEicar(ctx, spec) })
	}
	for i, spec := range spam {
		asking.Go(func() { all[len(virus)+i] = showGtube(ctx, spec, clock) })
	}
	asking.Wait()
	return all
}

func showEicar(ctx context.Context, spec string) Scanned {
	s := Scanned{Name: spec, Sample: "EICAR"}
	address, err := clamd.ParseAddress(spec)
	if err != nil {
		s.Err = err
		return s
	}
	scanner := clamd.NewScanner(clamd.Options{Address: address, Deadline: scanWithin, MaxSize: 1 << 20})
	defer scanner.Close()
	ctx, cancel := context.WithTimeout(ctx, scanWithin)
	defer cancel()
	result, err := scanner.Scan(ctx, func() io.Reader { return strings.NewReader(eicar()) })
	if err != nil {
		s.Err = err
		return s
	}
	s.Objects, s.Said = result.Kind == clamd.Infected, result.Kind.String()
	if result.Signature != "" {
		s.Said = result.Signature
	}
	return s
}

func showGtube(ctx context.Context, spec string, clock func() time.Time) Scanned {
	s := Scanned{Name: spec, Sample: "GTUBE"}
	kind, address, _ := strings.Cut(spec, ":")
	var scanner spamscan.Scanner
	var err error
	switch kind {
	case "rspamd":
		scanner, err = rspamd.New(address)
	default:
		scanner, err = spamd.New(address, clock)
	}
	if err != nil {
		s.Err = err
		return s
	}
	ctx, cancel := context.WithTimeout(ctx, scanWithin)
	defer cancel()
	answer, err := scanner.Scan(ctx, &spamscan.Message{
		Helo: "mailweir.invalid", Sender: "doctor@mailweir.invalid", Recipients: []string{"postmaster@mailweir.invalid"}, MTA: "mailweir.invalid",
		Open: func() io.Reader { return strings.NewReader(gtube()) },
	})
	if err != nil {
		s.Err = err
		return s
	}
	s.Objects, s.Said = answer.Action == spamscan.Reject || answer.Action == spamscan.Tag, answer.String()
	return s
}
