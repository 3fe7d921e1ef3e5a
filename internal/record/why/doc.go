// Package why tells a decision in words, and what reached or did not reach a recipient.
package why
