// Package opendata holds what anybody may read about all reports together.
//
// Exports write the public's view of reports row by row, as CSV or GeoJSON, in flat memory at any number of reports.
// Statistics are kept by triggers as reports change (migrations/00011), so they are exact and cost the same at any number.
package opendata
