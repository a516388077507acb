package report

// Source is how a report came in.
type Source string

// The sources.
const (
	SourceApp      Source = "app"
	SourceWeb      Source = "web"
	SourceAssisted Source = "assisted" // staff filed it for somebody
	SourceOpen311  Source = "open311"
	SourceImport   Source = "import"
)

// Sources lists them.
func Sources() []Source {
	return []Source{SourceApp, SourceWeb, SourceAssisted, SourceOpen311, SourceImport}
}

// ParseSource reads a source, ignoring case and separators. It is false for an unknown word.
func ParseSource(word string) (Source, bool) { return parse(word, Sources()) }
