package openapi

// PlainTexts and FormatOf are the rule of describeFormat, for its test.
func PlainTexts() map[string]string { return plainTexts }

// FormatOf is formatOf.
func FormatOf(member string) string { return formatOf(member) }

// SetNames is setNames.
func SetNames() map[string]string { return setNames() }
