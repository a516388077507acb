package notification

// DailyMail is a mail of which a person gets at most one a day.
type DailyMail string

// The daily mails. Both words may be in Prefs.Muted.
const (
	Digest DailyMail = "digest" // what waits for an official or a moderator
	Alerts DailyMail = "alerts" // new and fixed reports at the places of a person's alerts
)

// AlertEvent is what an alert tells of.
type AlertEvent string

// The events of alerts: a report got its verdict, a report was fixed.
const (
	AlertNew   AlertEvent = "new"
	AlertFixed AlertEvent = "fixed"
)
