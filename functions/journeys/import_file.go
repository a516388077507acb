package journeys

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys/trackfile"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Imported is what of a file is in the journey now.
type Imported struct {
	_            struct{}  `schema:"ImportResult"`
	JourneyID    uuid.UUID `json:"journey_id"`
	Tracks       int       `json:"tracks" doc:"Tracks and routes of the file. One with a pause of 6 hours or more between two segments counts for each part"`
	Markers      int       `json:"markers" doc:"Waypoints of the file"`
	Points       int       `json:"points" doc:"Points of the tracks and routes"`
	LengthMeters float64   `json:"length_meters" doc:"Length of the whole route of the journey after the import"`
	// Warnings has the places in the file as fields.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the file was not kept, at most 50; left out if everything was"`
}

// importOutput is 201 when something was added or an address was given, 200 when the journey had everything before.
type importOutput struct {
	Status int
	Body   any // Imported or ImportUpload
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
	if r := in.request(); r != nil && r.UploadID == nil {
		return g.issueUpload(ctx, j.ID, r)
	}
	file, err := g.openFile(ctx, in)
	if err != nil {
		return nil, err
	}
	found, err := trackfile.Read(file, g.clock.Now(), warning.FromContext(ctx))
	_ = file.Close() // it was only read
	if err != nil {
		return nil, importProblem(err)
	}
	tracks, err := cutAll(found.Tracks) // before the journey is locked: it takes a second for a large file
	if err != nil {
		return nil, err
	}
	status, out := http.StatusOK, Imported{JourneyID: j.ID, Tracks: len(tracks), Markers: len(found.Waypoints),
		Points: found.Points(), Warnings: warning.FromContext(ctx).List()}
	err = g.db.InTx(ctx, func(tx *database.Tx) error {
		added, err := g.addFile(ctx, tx, j.ID, tracks, found.Waypoints)
		if err != nil {
			return err
		}
		if added {
			status = http.StatusCreated
		}
		if err := tx.QueryRow(ctx, routeLengthSQL, caller, j.ID).Scan(&out.LengthMeters); err != nil {
			return fmt.Errorf("measure route: %w", err)
		}
		return httpapi.RecordAnswer(ctx, tx, status, out)
	})
	if err != nil {
		return nil, err
	}
	return &importOutput{Status: status, Body: out}, nil
}

// addFile adds what the caller's journey does not have yet, and reports whether there was anything.
func (g *Group) addFile(ctx context.Context, tx *database.Tx, id uuid.UUID, tracks []cutTrack, waypoints []trackfile.Waypoint) (bool, error) {
	locked := askLockedJourney(tx, id, identity.Must(ctx).UserID)
	known, markers := askKnownTracks(tx, id), askMarkerContents(tx, id, len(waypoints) > 0)
	if err := tx.Flush(ctx); err != nil {
		return false, fmt.Errorf("lock journey: %w", err)
	}
	j, now := locked.Get(), g.clock.Now().UTC().Truncate(time.Microsecond)
	newMarkers, err := addWaypoints(ctx, tx, j, markers.Get(), waypoints, now)
	if err != nil {
		return false, err
	}
	newTracks, err := addTracks(tx, j, known.Get(), tracks, now)
	if newMarkers || newTracks {
		updateLegs(tx, id)
	}
	return newMarkers || newTracks, err
}

// importProblem returns the problem of a file that cannot be imported.
func importProblem(err error) error {
	var fault *trackfile.Fault
	var known *problem.Error // of openFile's reader
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &fault):
		return errBrokenFile(fault.Place, fault.Message)
	case errors.Is(err, trackfile.ErrUnknownFormat):
		return errImportUnknownFormat
	case errors.Is(err, trackfile.ErrEmpty):
		return errImportEmpty
	case errors.Is(err, trackfile.ErrTooManyPoints):
		return errImportTooManyPoints
	case errors.Is(err, trackfile.ErrTooLarge):
		return problem.New(problem.TooLarge, "too_large")
	}
	return fmt.Errorf("read file: %w", err)
}

// errBrokenFile returns the 422 for a fault at a place in the file. The message never contains text of the file.
func errBrokenFile(place, message string) *problem.Error {
	e := errImportBroken.Param("place", place).With("place", place)
	e.Fields = []problem.Field{{Name: place, Message: message}}
	return e
}
