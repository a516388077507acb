package simulation

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
)

// tracks compares the accepted journeys and rides with the rows: each exists once, with all its points in order, and each track
// has its legs and stretches.
func (a *Reconciliation) tracks(ctx context.Context) error {
	found, err := rows[struct{ ID, Owner string }](ctx, a, `SELECT id::text, user_id::text FROM journeys WHERE user_id = ANY($1::uuid[])`, a.users)
	if err != nil {
		return err
	}
	owners := map[string]string{}
	for _, j := range found {
		owners[j.ID] = j.Owner
	}
	tracks, err := a.storedTracks(ctx)
	if err != nil {
		return err
	}
	markers, err := a.storedMarkers(ctx)
	if err != nil {
		return err
	}
	rides := 0
	for _, j := range a.simulation.accepted.journeys {
		if owners[j.id] != j.owner {
			a.AddDifference("journey %s of %s was accepted, and is of %q", j.id, j.owner, owners[j.id])
		}
		delete(owners, j.id)
		rides += len(j.tracks)
		if !sameTexts(tracks[j.id], j.tracks) {
			a.AddDifference("journey %s has %d tracks, %d of them as they were ridden; %d were accepted", j.id, len(tracks[j.id]), common(tracks[j.id], j.tracks), len(j.tracks))
		}
		if !sameTexts(markers[j.id], j.markers) {
			a.AddDifference("journey %s has the markers %q, want %q", j.id, markers[j.id], j.markers)
		}
	}
	for id := range owners {
		a.AddDifference("journey %s exists and was never accepted", id)
	}
	a.line(rides, fmt.Sprintf("rides accepted in %d journeys, each one track with its points", len(a.simulation.accepted.journeys)))
	return a.pieces(ctx)
}

// storedTracks has the points of the citizens' tracks, by journey.
func (a *Reconciliation) storedTracks(ctx context.Context) (map[string][]string, error) {
	found, err := rows[struct {
		Journey, Track string
		Segment        int
		Lons, Lats     []int32
		Times          []int64
	}](ctx, a, `SELECT t.journey_id::text, t.id::text, coalesce(p.segment, 0), coalesce(p.lons, '{}'), coalesce(p.lats, '{}'), coalesce(p.times, '{}')
		FROM tracks t JOIN journeys j ON j.id = t.journey_id LEFT JOIN track_points p ON p.track_id = t.id
		WHERE j.user_id = ANY($1::uuid[]) ORDER BY t.id, p.seq`, a.users)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	var points bytes.Buffer
	for i, r := range found {
		for n, lon := range r.Lons {
			if n < len(r.Lats) && n < len(r.Times) {
				addPoint(&points, r.Segment, lon, r.Lats[n], r.Times[n])
			}
		}
		if i+1 == len(found) || found[i+1].Track != r.Track {
			out[r.Journey] = append(out[r.Journey], points.String())
			points.Reset()
		}
	}
	return out, nil
}

// storedMarkers has the names of the citizens' markers, by journey.
func (a *Reconciliation) storedMarkers(ctx context.Context) (map[string][]string, error) {
	found, err := rows[struct{ Journey, Name string }](ctx, a, `SELECT m.journey_id::text, m.name FROM markers m JOIN journeys j ON j.id = m.journey_id
		WHERE j.user_id = ANY($1::uuid[])`, a.users)
	out := map[string][]string{}
	for _, m := range found {
		out[m.Journey] = append(out[m.Journey], m.Name)
	}
	return out, err
}

// pieces checks what follows from a track: legs and stretches as many as it says, and legs as long as it is.
func (a *Reconciliation) pieces(ctx context.Context) error {
	found, err := rows[struct {
		Track                                  string
		Points, Legs, Stretches                int
		Length                                 float64
		HasPoints, HasLegs, LastLeg, Stretched int
		LegsLength                             float64
	}](ctx, a, `SELECT t.id::text, t.points, t.legs, t.stretches, t.length_m,
			(SELECT coalesce(sum(cardinality(p.lons)), 0)::int FROM track_points p WHERE p.track_id = t.id),
			count(l.*)::int, coalesce(max(l.seq), -1), (SELECT count(*)::int FROM track_stretches s WHERE s.track_id = t.id), coalesce(sum(l.length_m), 0)
		FROM tracks t JOIN journeys j ON j.id = t.journey_id LEFT JOIN track_legs l ON l.track_id = t.id
		WHERE j.user_id = ANY($1::uuid[]) GROUP BY t.id`, a.users)
	if err != nil {
		return err
	}
	legs := 0
	for _, t := range found {
		legs += t.HasLegs
		switch {
		case t.HasPoints != t.Points:
			a.AddDifference("track %s has %d points, and counts %d", t.Track, t.HasPoints, t.Points)
		case t.HasLegs != t.Legs || t.LastLeg != t.Legs-1 || t.Legs == 0 || t.Stretched != t.Stretches || t.Stretches == 0:
			a.AddDifference("track %s has %d legs and %d stretches, and counts %d and %d", t.Track, t.HasLegs, t.Stretched, t.Legs, t.Stretches)
		case math.Abs(t.LegsLength-t.Length) > 1:
			a.AddDifference("track %s is %.0f m long, its legs are %.0f m", t.Track, t.Length, t.LegsLength)
		}
	}
	a.line(legs, "legs of the tracks")
	return nil
}

// sameTexts reports whether a and b have the same texts, each as often.
func sameTexts(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// common counts the texts of a that b has too.
func common(a, b []string) int {
	n := 0
	for _, text := range a {
		if slices.Contains(b, text) {
			n++
		}
	}
	return n
}
