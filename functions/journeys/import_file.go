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
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys/trackfile"
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

// Imported is what of a file is in the journey now.
type Imported struct {
	JourneyID    uuid.UUID `json:"journey_id"`
	Tracks       int       `json:"tracks" doc:"Tracks and routes of the file"`
	Markers      int       `json:"markers" doc:"Waypoints of the file"`
	Points       int       `json:"points" doc:"Points of the tracks and routes"`
	LengthMeters float64   `json:"length_meters" doc:"Length of the whole route of the journey after the import"`
	// Warnings has the places in the file as fields.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the file was not kept, at most 50; left out if everything was"`
}

// importOutput is 201 when something was added, 200 when the journey had everything before.
type importOutput struct {
	Status int
	Body   Imported
}

// importFile adds the tracks and waypoints of a GPX or GeoJSON file that the journey does not have yet: all of them, or none
// when there is a fault.
func (g *Group) importFile(ctx context.Context, in *importInput) (*importOutput, error) {
	caller := identity.Must(ctx).UserID
	j, err := visibleJourney(ctx, g.db, in.JourneyID, caller)
	if err != nil {
		return nil, err
	}
	if j.UserID != caller { // before the file is read: other people are not told what is wrong with it
		return nil, errNotOwner
	}
	raw, err := fileInBody(in.ContentType, in.RawBody)
	if err != nil {
		return nil, err
	}
	found, err := trackfile.Read(bytes.NewReader(raw), g.clock.Now(), warning.FromContext(ctx))
	if err != nil {
		return nil, importProblem(err)
	}
	out := &importOutput{Status: http.StatusOK, Body: Imported{JourneyID: j.ID, Tracks: len(found.Tracks), Markers: len(found.Waypoints),
		Points: found.Points(), Warnings: warning.FromContext(ctx).List()}}
	err = g.db.InTx(ctx, func(tx *database.Tx) error {
		added, err := g.addFile(ctx, tx, j.ID, found)
		if err != nil {
			return err
		}
		if added {
			out.Status = http.StatusCreated
		}
		if err := tx.QueryRow(ctx, routeLengthSQL, caller, j.ID).Scan(&out.Body.LengthMeters); err != nil {
			return fmt.Errorf("measure route: %w", err)
		}
		return httpapi.RecordAnswer(ctx, tx, out.Status, out.Body)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// addFile adds what the caller's journey does not have yet, and reports whether there was anything.
func (g *Group) addFile(ctx context.Context, tx *database.Tx, id uuid.UUID, found *trackfile.File) (bool, error) {
	locked := askLockedJourney(tx, id, identity.Must(ctx).UserID)
	tracks, markers := askKnownTracks(tx, id), askMarkerContents(tx, id, len(found.Waypoints) > 0)
	if err := tx.Flush(ctx); err != nil {
		return false, fmt.Errorf("lock journey: %w", err)
	}
	j, now := locked.Get(), g.clock.Now().UTC().Truncate(time.Microsecond)
	newMarkers, err := addWaypoints(ctx, tx, j, markers.Get(), found.Waypoints, now)
	if err != nil {
		return false, err
	}
	newTracks, err := addTracks(tx, j, tracks.Get(), found.Tracks, now)
	if newMarkers || newTracks {
		updateLegs(tx, id)
	}
	return newMarkers || newTracks, err
}

// importProblem returns the problem of a file that cannot be imported.
func importProblem(err error) error {
	var fault *trackfile.Fault
	switch {
	case errors.As(err, &fault):
		return errBrokenFile(fault.Place, fault.Message)
	case errors.Is(err, trackfile.ErrUnknownFormat):
		return problem.New(problem.UnsupportedMedia, "import_unknown_format")
	case errors.Is(err, trackfile.ErrEmpty):
		return problem.New(problem.Invalid, "import_empty")
	case errors.Is(err, trackfile.ErrTooManyPoints):
		return problem.New(problem.Invalid, "import_too_many_points")
	case errors.Is(err, trackfile.ErrTooLarge):
		return problem.New(problem.TooLarge, "too_large")
	}
	return fmt.Errorf("read file: %w", err)
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

func importBody() *huma.RequestBody {
	file := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	body := &huma.RequestBody{Required: true, Description: "A GPX or GeoJSON file of at most 5 MB",
		Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject,
			Properties: map[string]*huma.Schema{"file": file}, Required: []string{"file"}}}}}
	for _, media := range []string{gpxMedia, "application/geo+json", "application/octet-stream"} {
		body.Content[media] = &huma.MediaType{Schema: file}
	}
	return body
}
