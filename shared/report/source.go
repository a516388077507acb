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
