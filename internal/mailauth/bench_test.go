package mailauth_test

import (
	"strings"
	"testing"

	"mailweir/internal/mailauth"
	"mailweir/internal/mailauth/dkimtest"
)

func BenchmarkVerifyDKIM(b *testing.B) {
	for _, way := range []string{"simple/simple", "relaxed/relaxed"} {
		b.Run(way, func(b *testing.B) {
			key := dkimtest.RSA(b, 2048)
			body := strings.Repeat(strings.Repeat("0123456789abcde ", 4)+"\r\n", 1<<20/66)
			text := key.Sign(b, "From: a@one.example\r\n\r\n"+body, "v=1; a=rsa-sha256; c="+way+"; d=one.example; s=key; h=from; bh=BH; b=SIGNATURE")
			dns := keys{"key._domainkey.one.example": key.Record()}
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if domain, err := mailauth.VerifyDKIM(b.Context(), dns, strings.NewReader(text)); domain == "" {
					b.Fatal(err)
				}
			}
		})
	}
}
