package journeys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/warning"
)

// maxFile bounds an imported file, in bytes.
const maxFile = 5 << 20

// multipartOverhead bounds the parts of a form that are not the file, in bytes.
const multipartOverhead = 16 << 10

type importInput struct {
	JourneyID   uuid.UUID `path:"journey_id" format:"uuid"`
	ContentType string    `header:"Content-Type" hidden:"true"`
	RawBody     []byte
}

// Imported is what an import added.
type Imported struct {
	JourneyID    uuid.UUID `json:"journey_id"`
	Imported     int       `json:"imported" doc:"Markers added"`
	Past         int       `json:"past"`
	Plan         int       `json:"plan"`
	LengthMeters float64   `json:"length_meters" doc:"Length of the whole route after the import"`
	// Warnings has the places in the file as fields.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the file was not kept, at most 50; left out if everything was"`
}

type importOutput struct {
	Body Imported
}

// importFile adds all points of a GPX or GeoJSON file, or none of them.
func (g *Group) importFile(ctx context.Context, in *importInput) (*importOutput, error) {
	caller := identity.Must(ctx).UserID
	j, err := visibleJourney(ctx, g.db, in.JourneyID, caller)
	if err != nil {
		return nil, err
	}
	if j.UserID != caller { // before the file is read: other people are not told what is wrong with it
		return nil, errNotOwner
	}
	found, err := parseFile(in.ContentType, in.RawBody, g.clock.Now(), warning.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	out := &importOutput{Body: Imported{JourneyID: in.JourneyID, Imported: len(found), Warnings: warning.FromContext(ctx).List()}}
	for _, m := range found {
		if m.Type == markerPast {
			out.Body.Past++
		} else {
			out.Body.Plan++
		}
	}
	err = g.db.InTx(ctx, func(tx *database.Tx) error {
		j, room, err := lockJourneyWithRoom(ctx, tx, in.JourneyID, caller)
		if err != nil {
			return err
		}
		if room < len(found) {
			return errTooManyMarkers
		}
		if err := g.copyMarkers(ctx, tx, j, found); err != nil {
			return err
		}
		updateLegs(tx, j.ID)
		if err := tx.QueryRow(ctx, routeLengthSQL, caller, j.ID).Scan(&out.Body.LengthMeters); err != nil {
			return fmt.Errorf("measure route: %w", err)
		}
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, out.Body)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// copyMarkers writes all markers with the same creation time. Their ids are in the order of the file, so the route keeps
// this order within a day.
func (g *Group) copyMarkers(ctx context.Context, tx *database.Tx, j journey, found []marker) error {
	at := g.clock.Now().UTC().Truncate(time.Microsecond)
	columns := []string{"id", "journey_id", "owner_id", "name", "marker_type", "lon", "lat", "blur_m",
		"happened_on", "planned_on", "notes", "created_at", "updated_at"}
	source := pgx.CopyFromSlice(len(found), func(i int) ([]any, error) {
		m := found[i]
		return []any{database.NewID(), j.ID, j.UserID, m.Name, m.Type, m.Lon, m.Lat, j.blurMeters(m), m.HappenedOn, m.PlannedOn, m.Notes, at, at}, nil
	})
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"markers"}, columns, source); err != nil {
		return fmt.Errorf("copy markers: %w", err)
	}
	return nil
}

// parseFile reads the markers of a GPX or GeoJSON file. It tells the formats apart by the first character, because many
// phones send a wrong content type.
func parseFile(contentType string, raw []byte, now time.Time, w *warning.Collector) ([]marker, error) {
	raw, err := fileInBody(contentType, raw)
	if err != nil {
		return nil, err
	}
	if len(raw) > maxFile {
		return nil, problem.New(problem.TooLarge, "too_large")
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	start := fileStart(raw)
	var found []marker
	switch {
	case bytes.HasPrefix(start, []byte("<")), bytes.HasPrefix(raw, []byte("\xff\xfe<")), bytes.HasPrefix(raw, []byte("\xfe\xff\x00<")): // the latter in UTF-16
		found, err = parseGPX(raw, now, w)
	case bytes.HasPrefix(start, []byte("{")):
		found, err = parseGeoJSON(raw, w)
	default:
		return nil, problem.New(problem.UnsupportedMedia, "import_unknown_format")
	}
	if err == nil && len(found) == 0 {
		err = problem.New(problem.Invalid, "import_empty")
	}
	return found, err
}

// fileInBody returns the file of a form, or the body itself when it is not a form. The file is the first part
// whose bytes begin as GPX or GeoJSON. Names do not matter. If no part begins so, the first part with a file name is taken.
func fileInBody(contentType string, raw []byte) ([]byte, error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || media != "multipart/form-data" {
		return raw, nil
	}
	form := multipart.NewReader(bytes.NewReader(raw), params["boundary"])
	var named []byte
	for {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF) && named != nil:
			return named, nil
		case err != nil:
			return nil, problem.InvalidField("file", "expected a file in the form")
		}
		content, err := io.ReadAll(part) // a part of raw, which is bounded
		if err != nil {
			return nil, problem.New(problem.Invalid, "malformed_body").Because(err)
		}
		if start := fileStart(content); bytes.HasPrefix(start, []byte("<")) || bytes.HasPrefix(start, []byte("{")) {
			return content, nil
		}
		if named == nil && part.FileName() != "" {
			named = content
		}
	}
}

// fileStart is a file without the byte order mark that some programs write, and without the white space after it.
func fileStart(raw []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), " \t\r\n")
}

// errBrokenFile returns the 422 for a fault at a place in the file. The message never contains text of the file.
func errBrokenFile(place, message string) error {
	e := problem.New(problem.Invalid, "import_broken").Param("place", place).With("place", place)
	e.Fields = []problem.Field{{Name: place, Message: message}}
	return e
}

// checkImported trims a marker of a file and checks it as if it were sent alone. A fault names the place in the file, and
// so does the warning of what is left out.
func checkImported(m marker, place string, w *warning.Collector) (marker, error) {
	m.Name, m.Notes = cut(strings.TrimSpace(m.Name), 200, place, w), cut(strings.TrimSpace(m.Notes), 5000, place, w)
	m.dropMisplaced(place, place, w)
	err := m.check()
	var fault *problem.Error
	if errors.As(err, &fault) && len(fault.Fields) == 1 {
		return m, errBrokenFile(place, fault.Fields[0].Message)
	}
	return m, err
}

// cut returns text, shortened to the maximum number of runes.
func cut(text string, most int, place string, w *warning.Collector) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	w.Add(place, warning.Cut)
	return string([]rune(text)[:most])
}

func errTooManyPoints(place string) error {
	return errBrokenFile(place, fmt.Sprintf("expected at most %d points", maxMarkers))
}

func importBody() *huma.RequestBody {
	file := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	body := &huma.RequestBody{Required: true, Description: "A GPX 1.1 or GeoJSON file of at most 5 MB",
		Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject,
			Properties: map[string]*huma.Schema{"file": file}, Required: []string{"file"}}}}}
	for _, media := range []string{gpxMedia, "application/geo+json", "application/octet-stream"} {
		body.Content[media] = &huma.MediaType{Schema: file}
	}
	return body
}
