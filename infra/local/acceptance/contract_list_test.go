package acceptance

import (
	"strings"
	"testing"
)

// promised lists the operations of the contract, in the order of its sections.
const promised = `
POST /auth/register
POST /auth/verify-otp
POST /auth/resend-otp
POST /auth/login
POST /auth/token
POST /auth/google
POST /auth/email-code
POST /auth/email-code/verify
POST /auth/forgot-password
POST /auth/reset-password
POST /auth/refresh
POST /auth/web-session
DELETE /auth/web-session
POST /auth/logout
POST /users/register
GET /users/verify-email
POST /users/resend-verification
POST /users/reset-password
POST /users/update-password

GET /users/me
PATCH /users/me
DELETE /users/me
GET /users/me/export
POST /users/me/change-password
GET /users/me/sessions
DELETE /users/me/sessions/{}
PUT /users/me/devices/{}
DELETE /users/me/devices/{}
GET /users/{}
PUT /users/{}
DELETE /users/{}
GET /users/{}/journeys
GET /users/{}/journeys/active

POST /reports
POST /reports/batch
GET /reports
GET /reports/my-reports
GET /reports/changes
GET /reports/nearby
GET /reports/similar
GET /reports/{}
PATCH /reports/{}
POST /reports/{}/status
POST /reports/{}/assign
POST /reports/{}/hand-back
POST /reports/{}/follow
DELETE /reports/{}/follow
POST /reports/{}/confirm
POST /reports/{}/dispute
POST /reports/{}/flag
POST /reports/{}/flags/dismiss
POST /reports/{}/hide
POST /reports/{}/unhide
GET /reports/{}/log
GET /reports/{}/reporter
DELETE /reports/{}
POST /reports/pre-upload-image
POST /reports/{}/images
DELETE /reports/{}/images/{}
GET /reports/{}/images/{}/{}
POST /reports/{}/images/{}/hide
POST /reports/{}/images/{}/unhide
POST /reports/{}/images/{}/redact

POST /reports/{}/comments
GET /reports/{}/comments
DELETE /reports/{}/comments/{}
POST /reports/{}/comments/{}/flag
POST /reports/{}/comments/{}/flags/dismiss
POST /reports/{}/comments/{}/hide
POST /reports/{}/comments/{}/unhide
GET /reports/{}/ai-analysis
GET /reports/{}/ai-analysis/latest

GET /reports/stats/summary
GET /reports/stats/by-type
GET /reports/stats/by-municipality
GET /reports/stats/by-district
GET /reports/stats/by-agency
GET /reports/stats/trends
GET /blockchain/report/{}/history
GET /blockchain/report/{}/verify

GET /locations/municipalities
GET /locations/reverse-geocode
GET /locations/search
GET /notifications
GET /notifications/unread-count
POST /notifications/read-all
POST /notifications/{}/read
DELETE /notifications/{}
GET /alerts
POST /alerts
DELETE /alerts/{}
GET //health
GET //health/ready
GET /
GET /meta
GET /mongodb
GET //docs
GET //docs/guides
GET //docs/guides/{}
GET //docs/problems
GET //docs/problems/{}
GET //redoc
GET //openapi.json
GET //openapi-3.0.json
GET /openapi.json

POST /journeys
GET /journeys/{}
PATCH /journeys/{}
PATCH /journeys/{}/active
DELETE /journeys/{}
POST /journeys/{}/markers
GET /journeys/{}/markers
PUT /journeys/{}/markers/{}
DELETE /journeys/{}/markers/{}
GET /journeys/{}/journeys/nearby
GET /journeys/{}/nearby
GET /journeys/{}/route
GET /journeys/{}/route.gpx
GET /journeys/{}/tracks
DELETE /journeys/{}/tracks/{}
POST /journeys/{}/import
GET /journeys/{}/reports

POST /auth/totp/enroll
POST /auth/totp/confirm
POST /auth/totp/verify
POST /admin/setup
GET /admin/users
PATCH /admin/users/{}
POST /admin/users/invite
GET /admin/users/{}/reports
DELETE /admin/users/{}/totp
GET /admin/agencies
POST /admin/agencies
GET /admin/agencies/{}
PATCH /admin/agencies/{}
DELETE /admin/agencies/{}
GET /admin/api-keys
POST /admin/api-keys
DELETE /admin/api-keys/{}
GET /admin/webhooks
POST /admin/webhooks
PATCH /admin/webhooks/{}
DELETE /admin/webhooks/{}
POST /admin/webhooks/{}/rotate
GET /admin/webhooks/{}/deliveries
POST /admin/webhooks/{}/deliveries/{}/redrive
GET /admin/audit
GET /admin/settings
PUT /admin/settings
POST /admin/announcements
GET /staff/queue
GET /staff/counts
GET /staff/export.csv
GET /staff/templates
POST /staff/templates
PATCH /staff/templates/{}
DELETE /staff/templates/{}
POST /staff/reports/bulk-status
POST /staff/reports/bulk-assign
GET /staff/agencies
POST /reports/{}/ai-analysis/override
POST /reports/{}/notes
GET /reports/{}/notes
POST /reports/{}/appeal

GET /public/reports
GET /public/reports/{}
GET /public/reports/{}/comments
GET /public/reports/{}/images/{}/{}
GET /public/reports/{}/qr.svg
GET /public/removals
GET /public/feed.atom
GET /public/map
GET /public/sketch.svg
GET /public/places
GET /public/tiles/{}/{}/{}
GET /public/stats/summary
GET /public/stats/by-type
GET /public/stats/by-municipality
GET /public/stats/by-district
GET /public/stats/by-agency
GET /public/stats/trends
GET /public/blockchain/report/{}/history
GET /public/blockchain/report/{}/verify
GET /public/blockchain/report/{}/proof
GET //log/checkpoint
GET //log/tile/{}
GET //log/keys
GET //log/proof/{}
GET /public/export.csv
GET /public/export.geojson
GET //
GET //report
GET //me
GET //map
GET //desk
GET //admin
GET //stats
GET //welcome
GET //r/{}
GET //unsubscribe/{}
POST //unsubscribe/{}
GET //verify
GET //open311/v2/discovery.json
GET //open311/v2/discovery.xml
GET //open311/v2/openapi.json
GET //open311/v2/requests.csv
GET //open311/v2/requests.json
POST //open311/v2/requests.json
GET //open311/v2/requests.xml
POST //open311/v2/requests.xml
GET //open311/v2/requests/{}
GET //open311/v2/tokens/{}
GET //open311/v2/servicerequestupdates.json
POST //open311/v2/servicerequestupdates.json
GET //open311/v2/servicerequestupdates.xml
POST //open311/v2/servicerequestupdates.xml
GET //open311/v2/services.json
GET //open311/v2/services.xml
GET //open311/v2/services/{}
GET //ogc
GET //ogc/api
GET //ogc/collections
GET //ogc/collections/{}
GET //ogc/collections/{}/items
GET //ogc/collections/{}/items/{}
GET //ogc/conformance
`

// missing reports each operation of the contract that the document does not have, or
// that has no description in it.
func (d *document) missing(t *testing.T) {
	t.Helper()
	documented := map[string]operation{}
	for template, methods := range d.paths {
		var segments []string
		for segment := range strings.SplitSeq(strings.TrimSuffix(template, "/"), "/") {
			if strings.Contains(segment, "{") {
				segment = "{}"
			}
			segments = append(segments, segment)
		}
		if template == "/" {
			segments = []string{"", ""}
		}
		for method, op := range methods {
			documented[strings.ToUpper(method)+" "+strings.Join(segments, "/")] = op
		}
	}
	for line := range strings.Lines(promised) {
		method, path, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		full := "/api/v1" + strings.TrimSuffix(path, "/")
		if rest, root := strings.CutPrefix(path, "//"); root {
			full = "/" + rest
		}
		op, there := documented[method+" "+full]
		switch {
		case !there:
			t.Errorf("%s %s is in the contract and not in the document", method, full)
		case op.Summary == "" || op.Function == "" || op.OperationID == "":
			t.Errorf("%s %s has no summary, function or operation id in the document", method, full)
		}
	}
}
