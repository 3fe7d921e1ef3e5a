// Package view is how the pages of the console look: the frame around each, its style and script,
// and the parts that they are made of. What untrusted clients chose goes through [Text], [Cut] or
// an attribute that templ escapes; nothing here writes markup from data.
package view

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.1118 generate -path ..
