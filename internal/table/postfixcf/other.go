package postfixcf

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"

	"mailweir/internal/textfile"
)

// maxOther bounds a file that such a file names, such as all authorities of a system.
const maxOther = 16 << 20

// ReadOther reads a file that such a file names: a certificate, options, a list. It is a regular
// one of at most 16 MiB; a pipe in its place would keep a policy from being loaded, for ever.
func ReadOther(path string) ([]byte, error) {
	f, err := textfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxOther+1))
	if err == nil && len(content) > maxOther {
		err = &os.PathError{Op: "read", Path: path, Err: errors.New("larger than 16 MiB")}
	}
	if err != nil {
		return nil, err
	}
	return content, nil
}

// KeyPair reads a certificate and its key.
func KeyPair(cert, key string) (tls.Certificate, error) {
	public, err := ReadOther(cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	private, err := ReadOther(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(public, private)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("%s, %s: %w", cert, key, err)
	}
	return pair, nil
}
