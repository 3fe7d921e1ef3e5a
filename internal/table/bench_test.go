package table

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailweir/internal/address"
)

const million = 1_000_000

// bigFile writes n lines.
func bigFile(b *testing.B, n int, line func(i int) string) string {
	b.Helper()
	var s strings.Builder
	for i := range n {
		s.WriteString(line(i))
		s.WriteByte('\n')
	}
	file := filepath.Join(b.TempDir(), "big")
	if err := os.WriteFile(file, []byte(s.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return file
}

// reportCPU adds the CPU time of the process for an operation: on a machine that others use too it
// says more than the time that went by. Call it right before the loop, and what it returns after
// it.
func reportCPU(b *testing.B) func() {
	b.Helper()
	now := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	start := now()
	return func() { b.ReportMetric(float64(now()-start)/float64(b.N), "cpu-ns/op") }
}

// manyKeys has every form of key, so that no step of a sequence can be skipped.
func manyKeys(b *testing.B) string {
	return bigFile(b, million, func(i int) string {
		switch i % 8 {
		case 0:
			return fmt.Sprintf(".parent%d.example.com REJECT", i)
		case 1:
			return fmt.Sprintf("user%d@ REJECT", i)
		case 2, 3:
			return fmt.Sprintf("sub.domain%d.example.net REJECT", i)
		}
		return fmt.Sprintf("user%d@domain%d.example.org REJECT", i, i%1000)
	})
}

func manyNets(b *testing.B, v6 bool) string {
	random := rand.New(rand.NewPCG(1, 2))
	return bigFile(b, million, func(i int) string {
		bits := 16 + random.IntN(17)
		if !v6 {
			var a [4]byte
			putUint32(a[:], random.Uint32())
			p, _ := netip.AddrFrom4(a).Prefix(bits)
			return p.String() + " REJECT"
		}
		a := [16]byte{0x20, 0x01}
		putUint32(a[2:], random.Uint32())
		putUint32(a[6:], random.Uint32())
		p, _ := netip.AddrFrom16(a).Prefix(bits * 2)
		return p.String() + " REJECT"
	})
}

// manyRecipients are the mailboxes of a large site.
func manyRecipients(b *testing.B) string {
	return bigFile(b, million, func(i int) string { return fmt.Sprintf("user%d@example.org x", i) })
}

func benchmarkLoad(b *testing.B, kind, file string, use Use) {
	b.Helper()
	var before, peak, after runtime.MemStats
	done := reportCPU(b)
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		list, err := NewLoader(nil).List(ListOptions{Use: use}, kind+":"+file)
		if err != nil {
			b.Fatal(err)
		}
		runtime.ReadMemStats(&peak)
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(list)
	}
	done()
	const MiB = 1 << 20
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/MiB, "MiB-held")
	b.ReportMetric(float64(peak.HeapSys-peak.HeapReleased)/MiB, "MiB-heap")
}

func BenchmarkLoadMillion(b *testing.B) {
	actions, recipients := Use{Values: Actions}, Use{Values: Any, Asked: Recipients}
	b.Run("texthash", func(b *testing.B) { benchmarkLoad(b, "texthash", manyKeys(b), actions) })
	b.Run("recipients", func(b *testing.B) { benchmarkLoad(b, "texthash", manyRecipients(b), recipients) })
	b.Run("cidr-v4", func(b *testing.B) { benchmarkLoad(b, "cidr", manyNets(b, false), actions) })
	b.Run("cidr-v6", func(b *testing.B) { benchmarkLoad(b, "cidr", manyNets(b, true), actions) })
}

func BenchmarkReloadUnchangedMillion(b *testing.B) {
	file := manyKeys(b)
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(file, old, old); err != nil {
		b.Fatal(err)
	}
	loader := NewLoader(nil)
	if _, err := loader.List(ListOptions{Use: Use{Values: Actions}}, file); err != nil {
		b.Fatal(err)
	}
	done := reportCPU(b)
	for b.Loop() {
		loader = NewLoader(loader)
		if _, err := loader.List(ListOptions{Use: Use{Values: Actions}}, file); err != nil {
			b.Fatal(err)
		}
		loader.Done()
	}
	done()
}

func BenchmarkKeyMillion(b *testing.B) {
	list := openList(b, ListOptions{Use: Use{Values: Actions}}, manyKeys(b))
	keys := make([]string, 1<<16)
	for i := range keys {
		n := rand.IntN(million)
		keys[i] = fmt.Sprintf("user%d@domain%d.example.org", n, n%1000)
	}
	b.ReportAllocs()
	done := reportCPU(b)
	ctx := b.Context()
	for i := 0; b.Loop(); i++ {
		list.Key(ctx, keys[i%len(keys)])
	}
	done()
}

func BenchmarkAddressMillion(b *testing.B) {
	list := openList(b, ListOptions{Use: Use{Values: Actions}, Subdomains: true, Delimiters: "+"}, manyKeys(b))
	for _, shape := range []string{"user%d@domain%d.example.org", "nobody%d+ext%d@mail.sub.example.org"} {
		b.Run(shape, func(b *testing.B) {
			addresses := make([]address.Address, 1<<16)
			for i := range addresses {
				n := rand.IntN(million)
				addresses[i] = address.Parse(fmt.Sprintf(shape, n, n%1000))
			}
			b.ReportAllocs()
			done := reportCPU(b)
			ctx := b.Context()
			for i := 0; b.Loop(); i++ {
				list.Address(ctx, addresses[i%len(addresses)])
			}
			done()
		})
	}
}

func BenchmarkClientMillion(b *testing.B) {
	for _, v6 := range []bool{false, true} {
		b.Run(map[bool]string{false: "v4", true: "v6"}[v6], func(b *testing.B) {
			list := openList(b, ListOptions{Use: Use{Values: Actions}}, "cidr:"+manyNets(b, v6))
			ips := make([]netip.Addr, 1<<16)
			for i := range ips {
				a := [16]byte{0x20, 0x01}
				putUint32(a[2:], rand.Uint32())
				ips[i] = netip.AddrFrom16(a)
				if !v6 {
					ips[i] = netip.AddrFrom4([4]byte(a[2:6]))
				}
			}
			b.ReportAllocs()
			done := reportCPU(b)
			ctx := b.Context()
			for i := 0; b.Loop(); i++ {
				list.Client(ctx, ips[i%len(ips)])
			}
			done()
		})
	}
}

func BenchmarkPatterns1000(b *testing.B) {
	file := bigFile(b, 1000, func(i int) string {
		return fmt.Sprintf(`/^(.*)@spammer%d\.(com|net)$/ REJECT from $1`, i)
	})
	list := openList(b, ListOptions{Use: Use{Values: Actions}}, "pcre:"+file)
	a := address.Parse("Someone.Else@mail.example.org")
	b.ReportAllocs()
	done := reportCPU(b)
	ctx := b.Context()
	for b.Loop() {
		list.Address(ctx, a)
	}
	done()
}
