// Package opendata reads what is public about all reports together: exports and statistics.
//
// Exports write reports row by row as CSV or GeoJSON. The memory needed does not depend on the number of reports.
// Statistics are kept up to date by triggers (migrations/00011), so they are exact, and reading them costs the same at any
// number of reports.
package opendata
