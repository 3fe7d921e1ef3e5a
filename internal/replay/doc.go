// Package replay judges recorded mail again under another policy.
package replay
