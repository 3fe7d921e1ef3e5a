// Package web is the viewer and the console.
package web
