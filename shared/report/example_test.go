package report_test

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/report"
)

// Phones and people write words in many ways. An unknown issue type never loses a report.
func Example() {
	issueType, known := report.ParseIssueType("Pot-Hole")
	fmt.Println(issueType, known)
	issueType, known = report.ParseIssueType("Lubuk boot")
	fmt.Println(issueType, known)
	severity, _ := report.ParseSeverity(" HIGH ")
	status, _ := report.ParseStatus("resolved")
	number, _ := report.ParseNumber("ls2026000123")
	fmt.Println(severity, status, number)
	// Output:
	// pothole true
	// other false
	// high fixed LS-2026-000123
}

// Who may move a verified report depends on the role and, for officials, on the agency it is assigned to.
func ExampleAllowed() {
	agency, other := uuid.New(), uuid.New()
	official := report.ActorOf(identity.Caller{UserID: uuid.New(), Role: identity.Official, AgencyID: &agency})
	moderator := report.ActorOf(identity.Caller{UserID: uuid.New(), Role: identity.Moderator})
	fmt.Println("AI, pending:", report.Allowed(report.Pending, report.AI(), nil))
	fmt.Println("moderator, verified:", report.Allowed(report.Verified, moderator, &agency))
	fmt.Println("official of the agency, verified:", report.Allowed(report.Verified, official, &agency))
	fmt.Println("official of another agency, verified:", report.Allowed(report.Verified, official, &other))

	repair, _ := report.RuleFor(report.InProgress, report.Fixed)
	fmt.Println("a repair needs a note or a picture:", repair.ProofRequired)
	_, ok := report.RuleFor(report.Fixed, report.Pending)
	fmt.Println("fixed to pending:", ok)
	// Output:
	// AI, pending: [verified rejected]
	// moderator, verified: [rejected duplicate]
	// official of the agency, verified: [in_progress duplicate]
	// official of another agency, verified: []
	// a repair needs a note or a picture: true
	// fixed to pending: false
}
