// Package words counts.
package words

import "strings"

// Count tells how many words a text has.
func Count(text string) int {
	return strings.Count(text, " ") + 1
}

// Longest is the longest word of a text; the first of several.
//
// TODO: count letters, not bytes
func Longest(text string) string {
	longest := ""
	for _, word := range strings.Fields(text) {
		if len(word) > len(longest) {
			longest = word
		}
	}
	return longest
}
