package meta

import (
	"context"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Word is a value of an enum and what to show people for it.
type Word struct {
	_      struct{}          `schema:"VocabularyWord"`
	Value  string            `json:"value"`
	Labels map[string]string `json:"labels" doc:"By language: en, pt, tet"`
}

// Vocabulary lists words and limits. Clients read them here, so that their code need not contain them.
type Vocabulary struct {
	Version           string            `json:"version"`
	Languages         []locale.Language `json:"languages"`
	IssueTypes        []Word            `json:"issue_types"`
	Severities        []Word            `json:"severities"`
	Statuses          []Word            `json:"statuses"`
	AIStatuses        []string          `json:"ai_statuses"`
	BlockchainStatus  []string          `json:"blockchain_statuses"`
	NotificationTypes []string          `json:"notification_types"`
	Roles             []string          `json:"roles"`
	Limits            Limits            `json:"limits"`
}

// Limits are the bounds of what is taken.
type Limits struct {
	ImagesPerReport      int      `json:"images_per_report"`
	ImageMaxBytes        int      `json:"image_max_bytes"`
	ImageMaxBytesViaAPI  int      `json:"image_max_bytes_via_api" doc:"Above, ask for a direct upload"`
	ImageTypes           []string `json:"image_types"`
	TitleMaxLength       int      `json:"title_max_length"`
	DescriptionMaxLength int      `json:"description_max_length"`
	CommentMaxLength     int      `json:"comment_max_length"`
	BatchMaxReports      int      `json:"batch_max_reports"`
	NearbyMaxKilometres  int      `json:"nearby_max_kilometres"`
	PageMaxSize          int      `json:"page_max_size"`
	ReportsPerHour       int      `json:"reports_per_hour"`
	BatchReportsPerHour  int      `json:"batch_reports_per_hour"`
	UploadsPerHour       int      `json:"uploads_per_hour"`
	UnattachedUploadDays int      `json:"unattached_upload_days"`
	CapturedMaxAgeDays   int      `json:"captured_max_age_days" deprecated:"true" doc:"Not a limit any more: the server takes any time since 2020. Older apps read it"`
}

type vocabularyOutput struct{ Body Vocabulary }

func (g *Group) vocabulary(ctx context.Context, _ *struct{}) (*vocabularyOutput, error) {
	s, err := g.settings.Current(ctx)
	if err != nil {
		return nil, err
	}
	return &vocabularyOutput{Body: Vocabulary{
		Version: httpapi.Version, Languages: locale.Languages(),
		IssueTypes: words("issue_type", report.IssueTypes()), Severities: words("severity", report.Severities()),
		Statuses: words("status", report.Statuses()), AIStatuses: plain(report.AIStatuses()),
		BlockchainStatus: plain(report.LedgerStatuses()), NotificationTypes: plain(notification.Types()),
		Roles: plain([]identity.Role{identity.Citizen, identity.Moderator, identity.Official, identity.Admin}),
		Limits: Limits{
			ImagesPerReport: s.EvidenceImages, ImageMaxBytes: upload.MaxBytes, ImageMaxBytesViaAPI: upload.MaxThroughAPI,
			ImageTypes:     []string{upload.JPEG.ContentType(), upload.PNG.ContentType(), upload.WebP.ContentType()},
			TitleMaxLength: 150, DescriptionMaxLength: 2000, CommentMaxLength: 1000, BatchMaxReports: 50,
			NearbyMaxKilometres: 50, PageMaxSize: page.MaxSize,
			ReportsPerHour: s.ReportsPerHour, BatchReportsPerHour: s.BatchReportsPerHour, UploadsPerHour: s.UploadsPerHour,
			UnattachedUploadDays: int(upload.Life.Hours() / 24), CapturedMaxAgeDays: 30,
		},
	}}, nil
}

func words[T ~string](kind string, values []T) []Word {
	out := make([]Word, len(values))
	for i, v := range values {
		out[i] = Word{Value: string(v), Labels: make(map[string]string)}
		for _, l := range locale.Languages() {
			if text, ok := locale.Text(l, "label."+kind+"."+string(v), nil); ok {
				out[i].Labels[string(l)] = text
			}
		}
	}
	return out
}

func plain[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}
