package journeys

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/functions/journeys/trackfile"
	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

// operation returns an operation with the fields that all operations of the group share. An empty id is derived from the
// path.
func operation(id, method, path, summary, description string) httpapi.Operation {
	return httpapi.Operation{Operation: huma.Operation{
		OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, Description: description, Tags: []string{name},
	}}
}

// The published journey client makes its method names of these operation ids: do not change them.
func (g *Group) registerJourneys(api *httpapi.API) {
	create := operation("create_journey_api_v1_journeys__post", http.MethodPost, "/journeys/", "Create a journey",
		"Markers and tracks are added afterwards. With `active: true` it becomes the active one, and the caller's other journeys inactive.")
	create.DefaultStatus, create.Creates, create.Lenient = http.StatusCreated, true, lenientJourney()
	httpapi.Register(api, create.WithProblems(errNotOwner, errTooManyJourneys), g.create)
	noSlash := operation("", http.MethodPost, "/journeys", "Create a journey (without the slash)",
		"The same as with the slash.")
	noSlash.DefaultStatus, noSlash.Creates, noSlash.Lenient = http.StatusCreated, true, lenientJourney()
	httpapi.Register(api, noSlash.WithProblems(errNotOwner, errTooManyJourneys), g.create)

	httpapi.Register(api, operation("get_journey_api_v1_journeys__journey_id__get",
		http.MethodGet, "/journeys/{journey_id}", "A journey",
		"The own one, or somebody else's that is public. A private journey of somebody else is 404, as one that does not exist.").WithProblems(errJourneyUnknown), g.read)

	patch := operation("set_completed_journey_api_v1_journeys__journey_id__patch",
		http.MethodPatch, "/journeys/{journey_id}", "Complete or change a journey",
		"Without a body: completes the journey and answers 204. With a body: changes the fields in it and answers 200.")
	patch.DefaultStatus, patch.Lenient = http.StatusNoContent, lenientJourney()
	patch.Responses = changedResponses(api)
	httpapi.Register(api, patch.WithProblems(errJourneyUnknown, errNotOwner), g.change)

	toggle := operation("toggle_active_journey_api_v1_journeys__journey_id__active_patch",
		http.MethodPatch, "/journeys/{journey_id}/active", "Start or stop riding a journey",
		"Makes the journey active, and the caller's other journeys inactive. An active journey becomes inactive.")
	toggle.DefaultStatus = http.StatusNoContent
	httpapi.Register(api, toggle.WithProblems(errCompleted, errJourneyUnknown, errNotOwner), g.toggle)

	remove := operation("delete_journey_api_v1_journeys__journey_id__delete",
		http.MethodDelete, "/journeys/{journey_id}", "Delete a journey and its markers",
		"The tracks go too. It cannot be undone. Only its owner may do it.")
	remove.DefaultStatus = http.StatusNoContent
	httpapi.Register(api, remove.WithProblems(errJourneyUnknown, errNotOwner), g.remove)
}

func (g *Group) registerRoutes(api *httpapi.API) {
	ids := operation("get_nearby_journeys_api_v1_journeys__journey_id__journeys_nearby_get",
		http.MethodGet, "/journeys/{journey_id}/journeys/nearby", "Ids of other riders' journeys near this one",
		"Nearest first. The caller's own, private and deleted journeys never appear. Tracks count in both modes. Where thousands of "+
			"markers and tracks lie in one place, some of them are compared.")
	httpapi.Register(api, ids.WithProblems(errJourneyUnknown, errTooComplex), g.nearbyIDs)
	httpapi.Register(api, operation("", http.MethodGet, "/journeys/{journey_id}/nearby",
		"Other riders' journeys near this one: distance, closest points, and whether at the same time",
		"The journeys of the list of ids, in the same order and by the same parameters, each with how near it comes and where.").WithProblems(errJourneyUnknown, errTooComplex), g.nearby)

	route := operation("", http.MethodGet, "/journeys/{journey_id}/route", "The route as GeoJSON",
		"A FeatureCollection: a line for each track and for the markers between, and a point for each marker. Others see it without its hidden ends, and plans at the precision of plan_precision_m.")
	httpapi.Register(api, route.WithProblems(errJourneyUnknown, errTooComplex), g.route)
	file := operation("", http.MethodGet, "/journeys/{journey_id}/route.gpx", "The route as GPX 1.1",
		"The file is called after the journey. One of more than 4.5 MB as sent is at the address of the 302 for 15 minutes: read it without an Authorization header, which storage refuses.")
	file.Responses = fileResponses(gpxMedia, "A GPX file")
	httpapi.Register(api, file.WithProblems(errJourneyUnknown), g.routeGPX)

	httpapi.Register(api, operation("", http.MethodGet, "/journeys/{journey_id}/reports",
		"Open reports along the route, in riding order",
		"Each with its distance from the route, and how far along the route it lies, in metres. A route that cannot be searched in bounded time is 422 `route_too_complex`.").WithProblems(errJourneyUnknown, errTooComplex), g.reportsAlong)
	httpapi.Register(api, operation("", http.MethodGet, "/journeys/{journey_id}/tracks", "The tracks of a journey, in riding order",
		"Their names, lengths and times. Their points are in the route.").WithProblems(errJourneyUnknown), g.tracksOf)
	removeTrack := operation("", http.MethodDelete, "/journeys/{journey_id}/tracks/{track_id}", "Delete a track",
		"Its points are gone from the route. Only the owner of the journey may do it; the journey and its markers stay.")
	removeTrack.DefaultStatus = http.StatusNoContent
	httpapi.Register(api, removeTrack.WithProblems(errJourneyUnknown, errNotOwner, errTrackUnknown), g.removeTrack)
	affected := operation("", http.MethodGet, "/reports/{report_id}/riders-affected", "How many riders plan to pass a report",
		"Counts riders with a public journey, not completed, whose plan passes the report today or later. For staff.")
	affected.Roles = identity.Staff()
	httpapi.Register(api, affected.WithProblems(errReportUnknown), g.ridersAffected)

	importFile := operation("", http.MethodPost, "/journeys/{journey_id}/import", "Add the points of a GPX or GeoJSON file",
		"Adds all points or none. A track with a pause of 6 hours or more between two segments is added as several. A broken file answers 422; `place` says where the first fault is. What cannot be read of a point "+
			"besides its place is left out and named in warnings, and so is a point whose place is empty or 0,0.")
	importFile.DefaultStatus, importFile.Creates, importFile.MaxBody = http.StatusCreated, true, maxImportBody
	importFile.Unpacks = trackfile.MaxBytes + multipartOverhead
	importFile.Lenient = &httpapi.Lenient{}                                  // the file is read by importFile; this collects its warnings
	importFile.RequestBody, importFile.SkipValidateBody = importBody(), true // a file is not JSON
	importFile.Responses = importResponses(api)
	importFile.Limit = admission.LimitImport
	httpapi.Register(api, importFile.WithProblems(errImportBroken.With("place", "line 7"), errImportEmpty, errImportTooLong, errImportTooManyPoints, errImportUnknownFormat, errJourneyFull, errJourneyUnknown, errNotOwner, errNotSent, errTooManyMarkers, errUploadUnknown), g.importFile)
}

func (g *Group) registerLists(api *httpapi.API) {
	httpapi.Register(api, operation("get_user_journeys_api_v1_users__user_id__journeys_get",
		http.MethodGet, "/users/{user_id}/journeys", "A rider's journeys, newest first",
		"All of the own ones; of somebody else those that are public."), g.listOfUser)
	httpapi.Register(api, operation("get_active_journey_api_v1_users__user_id__journeys_active_get",
		http.MethodGet, "/users/{user_id}/journeys/active", "The active journey of a rider",
		"The one that they ride now: at most one. 404 when there is none, or when it is private and somebody else's.").WithProblems(errNoActiveJourney), g.activeOfUser)
}

func (g *Group) registerMarkers(api *httpapi.API) {
	add := operation("add_marker_to_journey_api_v1_journeys__journey_id__markers_post",
		http.MethodPost, "/journeys/{journey_id}/markers", "Add a marker",
		"A place where the rider was, or plans to be.")
	add.DefaultStatus, add.Creates, add.Lenient = http.StatusCreated, true, &httpapi.Lenient{}
	httpapi.Register(api, add.WithProblems(errJourneyUnknown, errNotOwner, errTooManyMarkers), g.addMarker)

	list := operation("get_journey_markers_api_v1_journeys__journey_id__markers_get",
		http.MethodGet, "/journeys/{journey_id}/markers", "The markers of a journey",
		"Others see planned markers at the precision of the journey's plan_precision_m.")
	httpapi.Register(api, list.WithProblems(errJourneyUnknown), g.markersOf)

	httpapi.Register(api, operation("", http.MethodGet, "/journeys/{journey_id}/markers/{marker_id}", "A marker",
		"One marker of a journey. Others see a planned one at the precision of the journey's plan_precision_m.").WithProblems(errJourneyUnknown, errMarkerUnknown), g.markerOf)

	replace := operation("update_journey_marker_api_v1_journeys__journey_id__markers__marker_id__put",
		http.MethodPut, "/journeys/{journey_id}/markers/{marker_id}", "Replace a marker",
		"Fields that are left out become null.")
	replace.Lenient = &httpapi.Lenient{}
	httpapi.Register(api, replace.WithProblems(errJourneyUnknown, errMarkerUnknown, errNotOwner), g.replaceMarker)

	remove := operation("delete_journey_marker_api_v1_journeys__journey_id__markers__marker_id__delete",
		http.MethodDelete, "/journeys/{journey_id}/markers/{marker_id}", "Delete a marker",
		"Only the owner of the journey may do it. 404 when the marker is not in that journey.")
	remove.DefaultStatus = http.StatusNoContent
	httpapi.Register(api, remove.WithProblems(errJourneyUnknown, errMarkerUnknown, errNotOwner), g.removeMarker)
}
