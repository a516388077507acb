package report

// HiddenBy says who hid words, a picture or a comment from others than staff and the author.
type HiddenBy string

// Who hides. What the flags of several people hid is shown again when a moderator dismisses them.
const (
	HiddenByModerator HiddenBy = "moderator"
	HiddenByFlags     HiddenBy = "flags"
)

// FlagOutcome is what a moderator decided about a flag.
type FlagOutcome string

// The outcomes. An open flag has none.
const (
	FlagUpheld    FlagOutcome = "upheld"
	FlagDismissed FlagOutcome = "dismissed"
)

// RemovedBy says who took a report down: rejected it, withdrew it or removed it.
type RemovedBy string

// Who takes down. A reporter withdraws, an administrator removes; AI, moderators and administrators reject.
const (
	RemovedByReporter  RemovedBy = "reporter"
	RemovedByAI        RemovedBy = "ai"
	RemovedByModerator RemovedBy = "moderator"
	RemovedByAdmin     RemovedBy = "admin"
)
