// Package css reads style sheets as far as they decide what a reader of HTML mail sees of an
// element: whether it shows at all, and whether it breaks the line.
//
// The tokens are those of github.com/tdewolff/parse; the grammar of rules, the selectors and the
// cascade follow CSS Syntax 3, Selectors 4 and CSS Cascade 5. All work is counted, so a style sheet
// that is made to be slow is left where it has cost enough: see [Sheet.Cut].
package css
