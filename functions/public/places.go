package public

import (
	"context"

	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

func (p *Public) registerPlaces(a *httpapi.API) {
	op := read("/api/v1/public/places", "Places by name",
		"Municipalities, and where they were imported posts, sucos and localities, in any spelling. The geocoder is not asked: see `/locations/search`.")
	op.Cache = httpapi.FewMinutes
	httpapi.Register(a, op, p.searchPlaces)
}

type placesInput struct {
	Query string `query:"q" required:"true" minLength:"1" maxLength:"100" doc:"A name or part of one" example:"Baukau"`
	Limit int    `query:"limit" minimum:"1" maximum:"10" default:"5"`
}

type placesOutput struct{ Body []geocoding.Found }

// searchPlaces finds places by name, in the database alone.
func (p *Public) searchPlaces(ctx context.Context, in *placesInput) (*placesOutput, error) {
	found, err := geocoding.SearchLocal(ctx, p.db, in.Query, in.Limit)
	if err != nil {
		return nil, err
	}
	if found == nil {
		found = []geocoding.Found{}
	}
	return &placesOutput{found}, nil
}
