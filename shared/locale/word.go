package locale

import "strings"

// FoldWord returns word in lower case, without outer space, and with an underscore for each inner space and hyphen.
// Words of a fixed set are compared in this form, so that "Within 30-Days" is within_30_days.
func FoldWord(word string) string {
	return strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(word)))
}
