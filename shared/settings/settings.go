// Package settings holds what an administrator may change while the system
// runs: thresholds, limits, the image maximum, the AI budget.
package settings

// Settings are all of them. The tags are also their validation in the API.
type Settings struct {
	// RejectConfidence is the AI's confidence of irrelevance from which a report is rejected without a person.
	RejectConfidence float64 `json:"reject_confidence" minimum:"0.5" maximum:"1" doc:"AI confidence of irrelevance from which a report is rejected without a person" example:"0.95"`
	// AcceptConfidence is the AI's confidence of relevance below which a person decides.
	AcceptConfidence float64 `json:"accept_confidence" minimum:"0" maximum:"1" doc:"AI confidence of relevance below which a person decides" example:"0.6"`
	// DuplicateRadius bounds the search for duplicates, in metres.
	DuplicateRadius int `json:"duplicate_radius_meters" minimum:"1" maximum:"1000" doc:"How far apart duplicates may be, in metres" example:"50"`
	// DuplicateSimilarity is the cosine similarity of pictures from which a duplicate is suggested.
	DuplicateSimilarity float64 `json:"duplicate_similarity" minimum:"0" maximum:"1" doc:"Cosine similarity of pictures from which a duplicate is suggested" example:"0.85"`
	// EvidenceImages is how many pictures a citizen may attach to a report.
	EvidenceImages int `json:"evidence_images_max" minimum:"1" maximum:"10" doc:"Pictures a citizen may attach to one report" example:"1"`
	// ReportsPerHour and the limits below are requests per hour and person.
	ReportsPerHour      int `json:"reports_per_hour" minimum:"1" maximum:"10000" doc:"New reports an hour and person" example:"20"`
	BatchReportsPerHour int `json:"batch_reports_per_hour" minimum:"1" maximum:"10000" doc:"Reports in batches an hour and person, counted by item" example:"200"`
	UploadsPerHour      int `json:"uploads_per_hour" minimum:"1" maximum:"10000" doc:"Pictures an hour and person" example:"60"`
	// AIMonthlyTokens bounds input and output tokens of all model calls a calendar month (UTC); 0 means no bound.
	AIMonthlyTokens int64 `json:"ai_monthly_tokens" minimum:"0" maximum:"1000000000000" doc:"Tokens of all model calls a calendar month (UTC), in and out; 0 for no bound. Past it, people decide about new reports" example:"2000000000"`
}

// Default are the settings that apply until an administrator changes them.
func Default() Settings {
	return Settings{
		RejectConfidence: 0.95, AcceptConfidence: 0.6,
		DuplicateRadius: 50, DuplicateSimilarity: 0.85,
		EvidenceImages: 1,
		ReportsPerHour: 20, BatchReportsPerHour: 200, UploadsPerHour: 60,
		AIMonthlyTokens: 2_000_000_000,
	}
}
