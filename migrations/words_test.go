package migrations_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
)

// words says where the code has the words that it writes into each column of words: package.Type for the string
// constants of a type, package.prefix* for those whose names begin so, package.name for one, or the word in quotes.
// A leading minus takes away words that this column never has.
var words = map[string]string{
	"agencies.agency_type":                "admin.agencyType*",
	"agencies.issue_types":                "report.IssueType",
	"alerts.events":                       "notification.AlertEvent",
	"alerts.issue_types":                  "report.IssueType",
	"ai_analyses.issue_type":              "report.IssueType",
	"ai_analyses.repair_urgency":          "validate.urgency*",
	"ai_analyses.severity":                "report.Severity",
	"ai_analyses.stage":                   "validate.stage* staff.stageOverride",
	"ai_analyses.status":                  "report.AIStatus -report.AIQueued -report.AIProcessing", // an analysis is made when its call has ended
	"audit_log.actor_role":                "identity.Role audit.System",
	"boundaries.level":                    "importboundaries.level*",
	"daily_mails.kind":                    "notification.DailyMail",
	"devices.platform":                    "auth.platform*",
	"geocode_cache.source":                "geocoding.Source* -geocoding.SourceBoundaries", // only answers of the geocoder are cached
	"invitations.role":                    "identity.Role",
	"journey_legs.kind":                   `journeys.markerPast journeys.markerPlan "transition"`,
	"journeys.visibility":                 "journeys.visibility*",
	"ledger_anchors.topic":                `"reports" "status"`, // of the archive
	"ledger_events.event_type":            "ledger.Type",
	"ledger_submissions.state":            "ledger.MessageState",
	"ledger_submissions.topic":            `"reports" "status"`,
	"log_keys.role":                       "ledger.KeyRole",
	"log_messages.state":                  "ledger.MessageState",
	"markers.marker_type":                 "journeys.markerPast journeys.markerPlan",
	"notification_deliveries.channel":     "notify.by*",
	"notification_deliveries.state":       "notify.deliveryState",
	"notifications.type":                  "notification.Type",
	"one_time_codes.purpose":              "credential.CodePurpose",
	"open311_contacts.preferred_language": "locale.Language",
	"outbox.queue":                        "catalog.QueueName",
	"report_comments.hidden":              "report.HiddenBy",
	"report_comments.hidden_reason":       "report.ReasonCode",
	"report_contacts.preferred_language":  "locale.Language",
	"report_flags.outcome":                "report.FlagOutcome",
	"report_flags.reason_code":            "report.ReasonCode",
	"report_images.hidden":                "report.HiddenBy",
	"report_images.hidden_reason":         "report.ReasonCode",
	"report_images.kind":                  "reportwrite.Evidence reports.resolution reports.dispute",
	"report_images.verdict":               "report.PictureVerdict",
	"report_status_history.actor_kind":    "report.ActorKind",
	"report_status_history.new_status":    "report.Status",
	"report_status_history.old_status":    "report.Status",
	"reports.ai_status":                   "report.AIStatus",
	"reports.blockchain_status":           "report.LedgerStatus",
	"reports.geocode_source":              "geocoding.Source*",
	"reports.issue_type":                  "report.IssueType",
	"reports.priority":                    "report.Severity",
	"reports.reason_code":                 "report.ReasonCode",
	"reports.removed_by":                  "report.RemovedBy",
	"reports.severity":                    "report.Severity",
	"reports.severity_guess":              "report.Severity",
	"reports.source":                      "report.Source",
	"reports.status":                      "report.Status",
	"reports.words_hidden":                "report.HiddenBy",
	"reports.words_hidden_reason":         "report.ReasonCode",
	"sessions.platform":                   "auth.platform*",
	"sessions.revoked_reason":             "identity.Reason",
	"staff_templates.issue_type":          "report.IssueType",
	"staff_templates.status":              "report.Status",
	"tracks.kind":                         "track.Kind",
	"uploads.content_type":                `"image/jpeg" "image/png" "image/webp" "application/octet-stream"`,
	"uploads.deletion":                    "upload.Deletion",
	"uploads.refusal":                     "upload.RefusalCode",
	"uploads.state":                       "upload.State",
	"users.preferred_language":            "locale.Language",
	"users.role":                          "identity.Role",
	"webhook_deliveries.event_type":       "webhook.Event",
	"webhook_deliveries.failure_reason":   "webhook.Fault",
	"webhook_deliveries.state":            "webhook.State",
	"webhooks.events":                     "webhook.Event",
	"webhooks.off_reason":                 "webhook.OffReason",
}

// free are the columns whose names look as if they held one of a few words, and why they have no list.
var free = map[string]string{
	"ai_analyses.damage_type":         "words of the model",
	"ai_analyses.relevance_reason":    "words of the model or of a person",
	"audit_log.action":                "each new deed adds a word, and the log must not refuse one",
	"audit_log.entity":                "goes with action",
	"idempotency_keys.content_type":   "header of an answer",
	"idempotency_keys.status":         "HTTP status",
	"ledger_circuit.reason":           "text for the operator",
	"ledger_transactions.outcome":     "words of the network",
	"map_cell_changes.issue_type":     "copied from reports by a trigger",
	"map_cell_changes.status":         "copied from reports by a trigger",
	"map_cells.issue_type":            "copied from reports by a trigger",
	"map_cells.status":                "copied from reports by a trigger",
	"report_month_changes.issue_type": "copied from reports by a trigger",
	"report_months.issue_type":        "copied from reports by a trigger",
	"processed_messages.consumer":     "separates the keys of consumers; nothing else reads it",
	"report_total_changes.issue_type": "copied from reports by a trigger",
	"report_total_changes.severity":   "copied from reports by a trigger",
	"report_total_changes.status":     "copied from reports by a trigger",
	"report_totals.issue_type":        "copied from reports by a trigger",
	"report_totals.severity":          "copied from reports by a trigger",
	"report_totals.status":            "copied from reports by a trigger",
	"reports.appeal_reason":           "text of the reporter",
	"reports.rejection_reason":        "text for the reporter",
	"users.suspended_reason":          "text of an administrator",
	"webhook_deliveries.last_status":  "HTTP status",
}

// wordy lists the endings of the names of columns that hold one of a few words.
const wordy = `(^|_)(action|channel|consumer|deletion|entity|events|guess|hidden|kind|language|level|outcome|platform|priority|purpose|queue|reason(_code)?|refusal|removed_by|role|severity|source|stage|state|status|topic|types?|urgency|verdict|visibility)$`

// TestColumnsListWhatTheCodeWrites compares the list of each column with the constants of the code. A new constant
// needs a migration that adds it to the list; a list must not have what the code does not write.
func TestColumnsListWhatTheCodeWrites(t *testing.T) {
	t.Parallel()
	conn := testdb.Connect(t, testdb.URL(t))
	listed := lists(t, conn)
	code := constants(t)
	for column, from := range words {
		want, got := code.words(t, from), listed[column]
		if !slices.Equal(got, want) {
			t.Errorf("%s: the constraint lists %q, the code has %q", column, got, want)
		}
	}
	for column := range listed {
		if words[column] == "" {
			t.Errorf("%s has a list; say in words where the code has its words", column)
		}
	}
}

// TestColumnsOfWordsHaveAList finds a column that looks as if it held one of a few words, and may hold anything.
func TestColumnsOfWordsHaveAList(t *testing.T) {
	t.Parallel()
	conn := testdb.Connect(t, testdb.URL(t))
	const q = `SELECT table_name || '.' || column_name FROM information_schema.columns JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND column_name ~ $1 AND table_name NOT IN ('spatial_ref_sys')`
	rows, err := conn.Query(t.Context(), q, wordy)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range columns {
		if words[column] == "" && free[column] == "" {
			t.Errorf("%s: give it a constraint named _known and an entry in words, or say in free why it has none", column)
		}
	}
	for _, column := range append(slices.Collect(maps.Keys(words)), slices.Collect(maps.Keys(free))...) {
		if !slices.Contains(columns, column) {
			t.Errorf("%s is not there any more, or its name does not match %s", column, wordy)
		}
	}
}

// lists are the words that the constraints named _known allow, in the order of the alphabet, by table.column.
func lists(t *testing.T, conn *pgx.Conn) map[string][]string {
	t.Helper()
	const q = `SELECT c.conrelid::regclass || '.' || a.attname, pg_get_constraintdef(c.oid)
		  FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
		 WHERE c.contype = 'c' AND c.conname LIKE '%\_known'`
	rows, err := conn.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]string)
	var column, definition string
	quoted := regexp.MustCompile(`'([^']*)'`)
	_, err = pgx.ForEachRow(rows, []any{&column, &definition}, func() error {
		for _, match := range quoted.FindAllStringSubmatch(definition, -1) {
			out[column] = append(out[column], match[1])
		}
		slices.Sort(out[column])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// constant is a string constant of the code.
type constant struct{ pkg, typ, name, value string }

type program []constant

// words are the values that a text as in words names, in the order of the alphabet.
func (p program) words(t *testing.T, from string) []string {
	t.Helper()
	out := make(map[string]bool)
	for part := range strings.FieldsSeq(from) {
		name, without := strings.CutPrefix(part, "-")
		if word, err := strconv.Unquote(name); err == nil {
			out[word] = true
			continue
		}
		pkg, what, _ := strings.Cut(name, ".")
		prefix, isPrefix := strings.CutSuffix(what, "*")
		found := false
		for _, c := range p {
			if c.pkg != pkg || c.typ != what && c.name != what && (!isPrefix || !strings.HasPrefix(c.name, prefix)) {
				continue
			}
			found = true
			if out[c.value] = true; without {
				delete(out, c.value)
			}
		}
		if !found {
			t.Errorf("no constant is %s", name)
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// constants reads all string constants of packages out of the source; those of tests do not count.
func constants(t *testing.T) program {
	t.Helper()
	var out program
	for _, dir := range []string{"../functions", "../shared"} {
		err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path.Join(dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			out = append(out, constantsOf(file)...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func constantsOf(file *ast.File) []constant {
	var out []constant
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			spec := spec.(*ast.ValueSpec)
			typ := ""
			if ident, ok := spec.Type.(*ast.Ident); ok {
				typ = ident.Name
			}
			for i, name := range spec.Names {
				if i >= len(spec.Values) {
					continue
				}
				if literal, ok := spec.Values[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
					value, _ := strconv.Unquote(literal.Value)
					out = append(out, constant{pkg: file.Name.Name, typ: typ, name: name.Name, value: value})
				}
			}
		}
	}
	return out
}
