package view

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
)

//go:embed assets
var files embed.FS

// Assets is the path under which [AssetHandler] is to be found.
const Assets = "/assets/"

// Asset is the path of a file of ours. It names the contents, so that a browser may keep it.
func Asset(name string) string {
	data, err := files.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // a page names a file that there is not
	}
	sum := sha256.Sum256(data)
	return Assets + hex.EncodeToString(sum[:6]) + "/" + name
}

// AssetHandler serves style, script and icon. They say nothing of anybody, so no login is needed.
func AssetHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		data, err := fs.ReadFile(files, "assets/"+name)
		if err != nil || r.URL.Path != Asset(name) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", contentTypes(name))
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		_, _ = w.Write(data) // the browser has gone
	})
}

// contentTypes are ours, so that none depends on what the host has in /etc/mime.types.
func contentTypes(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	}
	return "image/svg+xml"
}
