package catalog

// Route is one path that an HTTP function serves.
type Route struct {
	Function FunctionName
	// Path has {name} for a path parameter; that of /log/tile is the rest of the path, with its slashes. A slash at its end is for the document only: every route is served with and without it.
	Path string
	// Methods of the path that the function serves.
	Methods []string
}

// Routes lists the paths of every HTTP function: the operations of the API, and pages, files and addresses that the
// OpenAPI document does not describe. One function serves all methods of a path, and HEAD wherever there is GET. A test compares
// the list with what the functions register, another one with GatewayRoutes.
func Routes() []Route {
	var out []Route
	for _, group := range [][]Route{
		authRoutes(),
		usersRoutes(),
		adminRoutes(),
		staffRoutes(),
		reportsRoutes(),
		communityRoutes(),
		monitoringRoutes(),
		locationsRoutes(),
		notificationsRoutes(),
		journeysRoutes(),
		publicRoutes(),
		open311Routes(),
		ogcRoutes(),
		webRoutes(),
		metaRoutes(),
	} {
		out = append(out, group...)
	}
	return out
}

// route returns one line of the tables below.
func route(function FunctionName, path string, methods ...string) Route {
	return Route{Function: function, Path: path, Methods: methods}
}

func authRoutes() []Route {
	const f = "auth"
	return []Route{
		route(f, "/api/v1/auth/email-code", "POST"),
		route(f, "/api/v1/auth/email-code/verify", "POST"),
		route(f, "/api/v1/auth/forgot-password", "POST"),
		route(f, "/api/v1/auth/google", "POST"),
		route(f, "/api/v1/auth/login", "POST"),
		route(f, "/api/v1/auth/logout", "POST"),
		route(f, "/api/v1/auth/refresh", "POST"),
		route(f, "/api/v1/auth/register", "POST"),
		route(f, "/api/v1/auth/resend-otp", "POST"),
		route(f, "/api/v1/auth/reset-password", "POST"),
		route(f, "/api/v1/auth/token", "POST"),
		route(f, "/api/v1/auth/totp/confirm", "POST"),
		route(f, "/api/v1/auth/totp/enroll", "POST"),
		route(f, "/api/v1/auth/totp/verify", "POST"),
		route(f, "/api/v1/auth/verify-otp", "POST"),
		route(f, "/api/v1/auth/web-session", "POST", "DELETE"),
		route(f, "/api/v1/users/register", "POST"),
		route(f, "/api/v1/users/resend-verification", "POST"),
		route(f, "/api/v1/users/reset-password", "POST"),
		route(f, "/api/v1/users/update-password", "POST"),
		route(f, "/api/v1/users/verify-email", "GET"),
	}
}

func usersRoutes() []Route {
	const f = "users"
	return []Route{
		route(f, "/api/v1/users/me", "GET", "PATCH", "DELETE"),
		route(f, "/api/v1/users/me/change-password", "POST"),
		route(f, "/api/v1/users/me/devices/{device_id}", "PUT", "DELETE"),
		route(f, "/api/v1/users/me/export", "GET"),
		route(f, "/api/v1/users/me/sessions", "GET"),
		route(f, "/api/v1/users/me/sessions/{id}", "DELETE"),
		route(f, "/api/v1/users/{user_id}", "GET", "PUT", "DELETE"),
		route(f, "/api/v1/users/{user_id}/avatar", "GET"),
	}
}

func adminRoutes() []Route {
	const f = "admin"
	return []Route{
		route(f, "/api/v1/admin/agencies", "GET", "POST"),
		route(f, "/api/v1/admin/agencies/{id}", "GET", "PATCH", "DELETE"),
		route(f, "/api/v1/admin/api-keys", "GET", "POST"),
		route(f, "/api/v1/admin/api-keys/{id}", "DELETE"),
		route(f, "/api/v1/admin/webhooks", "GET", "POST"),
		route(f, "/api/v1/admin/webhooks/{id}", "PATCH", "DELETE"),
		route(f, "/api/v1/admin/webhooks/{id}/rotate", "POST"),
		route(f, "/api/v1/admin/webhooks/{id}/deliveries", "GET"),
		route(f, "/api/v1/admin/webhooks/{id}/deliveries/{d_id}/redrive", "POST"),
		route(f, "/api/v1/admin/audit", "GET"),
		route(f, "/api/v1/admin/settings", "GET", "PUT"),
		route(f, "/api/v1/admin/setup", "POST"),
		route(f, "/api/v1/admin/announcements", "POST"),
		route(f, "/api/v1/admin/users", "GET"),
		route(f, "/api/v1/admin/users/{id}", "PATCH"),
		route(f, "/api/v1/admin/users/{id}/totp", "DELETE"),
		route(f, "/api/v1/admin/users/invite", "POST"),
	}
}

func staffRoutes() []Route {
	const f = "staff"
	return []Route{
		route(f, "/api/v1/admin/users/{id}/reports", "GET"),
		route(f, "/api/v1/reports/{id}/ai-analysis/override", "POST"),
		route(f, "/api/v1/reports/{id}/appeal", "POST"),
		route(f, "/api/v1/reports/{id}/log", "GET"),
		route(f, "/api/v1/reports/{id}/notes", "GET", "POST"),
		route(f, "/api/v1/reports/{id}/reporter", "GET"),
		route(f, "/api/v1/staff/agencies", "GET"),
		route(f, "/api/v1/staff/counts", "GET"),
		route(f, "/api/v1/staff/export.csv", "GET"),
		route(f, "/api/v1/staff/queue", "GET"),
		route(f, "/api/v1/staff/reports/bulk-assign", "POST"),
		route(f, "/api/v1/staff/reports/bulk-status", "POST"),
		route(f, "/api/v1/staff/templates", "GET", "POST"),
		route(f, "/api/v1/staff/templates/{id}", "PATCH", "DELETE"),
	}
}

func reportsRoutes() []Route {
	const f = "reports"
	return []Route{
		route(f, "/api/v1/reports", "GET", "POST"),
		route(f, "/api/v1/reports/batch", "POST"),
		route(f, "/api/v1/reports/changes", "GET"),
		route(f, "/api/v1/reports/my-reports", "GET"),
		route(f, "/api/v1/reports/nearby", "GET"),
		route(f, "/api/v1/reports/pre-upload-image", "POST"),
		route(f, "/api/v1/reports/similar", "GET"),
		route(f, "/api/v1/reports/{id}", "GET", "PATCH", "DELETE"),
		route(f, "/api/v1/reports/{id}/assign", "POST"),
		route(f, "/api/v1/reports/{id}/confirm", "POST"),
		route(f, "/api/v1/reports/{id}/dispute", "POST"),
		route(f, "/api/v1/reports/{id}/follow", "POST", "DELETE"),
		route(f, "/api/v1/reports/{id}/flag", "POST"),
		route(f, "/api/v1/reports/{id}/flags/dismiss", "POST"),
		route(f, "/api/v1/reports/{id}/hand-back", "POST"),
		route(f, "/api/v1/reports/{id}/hide", "POST"),
		route(f, "/api/v1/reports/{id}/images", "POST"),
		route(f, "/api/v1/reports/{id}/images/{img_id}", "DELETE"),
		route(f, "/api/v1/reports/{id}/images/{img_id}/hide", "POST"),
		route(f, "/api/v1/reports/{id}/images/{img_id}/redact", "POST"),
		route(f, "/api/v1/reports/{id}/images/{img_id}/unhide", "POST"),
		route(f, "/api/v1/reports/{id}/images/{img_id}/{rendition}", "GET"),
		route(f, "/api/v1/reports/{id}/status", "POST"),
		route(f, "/api/v1/reports/{id}/unhide", "POST"),
	}
}

func communityRoutes() []Route {
	const f = "community"
	return []Route{
		route(f, "/api/v1/reports/{id}/ai-analysis", "GET"),
		route(f, "/api/v1/reports/{id}/ai-analysis/latest", "GET"),
		route(f, "/api/v1/reports/{id}/comments", "GET", "POST"),
		route(f, "/api/v1/public/reports/{id}/comments", "GET"),
		route(f, "/api/v1/reports/{id}/comments/{c_id}", "DELETE"),
		route(f, "/api/v1/reports/{id}/comments/{c_id}/flag", "POST"),
		route(f, "/api/v1/reports/{id}/comments/{c_id}/flags/dismiss", "POST"),
		route(f, "/api/v1/reports/{id}/comments/{c_id}/hide", "POST"),
		route(f, "/api/v1/reports/{id}/comments/{c_id}/unhide", "POST"),
	}
}

func monitoringRoutes() []Route {
	const f = "monitoring"
	return []Route{
		route(f, "/api/v1/blockchain/report/{id}/history", "GET"),
		route(f, "/api/v1/blockchain/report/{id}/verify", "GET"),
		route(f, "/api/v1/reports/stats/by-agency", "GET"),
		route(f, "/api/v1/reports/stats/by-district", "GET"),
		route(f, "/api/v1/reports/stats/by-municipality", "GET"),
		route(f, "/api/v1/reports/stats/by-type", "GET"),
		route(f, "/api/v1/reports/stats/summary", "GET"),
		route(f, "/api/v1/reports/stats/trends", "GET"),
	}
}

func locationsRoutes() []Route {
	const f = "locations"
	return []Route{
		route(f, "/api/v1/locations/municipalities", "GET"),
		route(f, "/api/v1/locations/reverse-geocode", "GET"),
		route(f, "/api/v1/locations/search", "GET"),
	}
}

func notificationsRoutes() []Route {
	const f = "notifications"
	return []Route{
		route(f, "/api/v1/alerts", "GET", "POST"),
		route(f, "/api/v1/alerts/{id}", "DELETE"),
		route(f, "/api/v1/notifications", "GET"),
		route(f, "/api/v1/notifications/read-all", "POST"),
		route(f, "/api/v1/notifications/unread-count", "GET"),
		route(f, "/api/v1/notifications/{id}", "DELETE"),
		route(f, "/api/v1/notifications/{id}/read", "POST"),
		route(f, "/unsubscribe/{token}", "GET", "POST"),
	}
}

func journeysRoutes() []Route {
	const f = "journeys"
	return []Route{
		route(f, "/api/v1/journeys", "POST"),
		route(f, "/api/v1/journeys/", "POST"),
		route(f, "/api/v1/journeys/{journey_id}", "GET", "PATCH", "DELETE"),
		route(f, "/api/v1/journeys/{journey_id}/active", "PATCH"),
		route(f, "/api/v1/journeys/{journey_id}/import", "POST"),
		route(f, "/api/v1/journeys/{journey_id}/journeys/nearby", "GET"),
		route(f, "/api/v1/journeys/{journey_id}/markers", "GET", "POST"),
		route(f, "/api/v1/journeys/{journey_id}/markers/{marker_id}", "GET", "PUT", "DELETE"),
		route(f, "/api/v1/journeys/{journey_id}/nearby", "GET"),
		route(f, "/api/v1/journeys/{journey_id}/reports", "GET"),
		route(f, "/api/v1/journeys/{journey_id}/route", "GET"),
		route(f, "/api/v1/journeys/{journey_id}/route.gpx", "GET"),
		route(f, "/api/v1/journeys/{journey_id}/tracks", "GET"),
		route(f, "/api/v1/journeys/{journey_id}/tracks/{track_id}", "DELETE"),
		route(f, "/api/v1/reports/{report_id}/riders-affected", "GET"),
		route(f, "/api/v1/users/{user_id}/journeys", "GET"),
		route(f, "/api/v1/users/{user_id}/journeys/active", "GET"),
	}
}

func publicRoutes() []Route {
	const f = "public"
	return []Route{
		route(f, "/api/v1/public/blockchain/report/{id}/history", "GET"),
		route(f, "/api/v1/public/blockchain/report/{id}/proof", "GET"),
		route(f, "/api/v1/public/blockchain/report/{id}/verify", "GET"),
		route(f, "/api/v1/public/export.csv", "GET"),
		route(f, "/api/v1/public/export.geojson", "GET"),
		route(f, "/api/v1/public/map", "GET"),
		route(f, "/api/v1/public/places", "GET"),
		route(f, "/api/v1/public/removals", "GET"),
		route(f, "/api/v1/public/reports", "GET"),
		route(f, "/api/v1/public/reports/{id}", "GET"),
		route(f, "/api/v1/public/feed.atom", "GET"),
		route(f, "/api/v1/public/reports/{id}/images/{img_id}/{rendition}", "GET"),
		route(f, "/api/v1/public/reports/{id}/qr.svg", "GET"),
		route(f, "/api/v1/public/sketch.svg", "GET"),
		route(f, "/api/v1/public/stats/by-agency", "GET"),
		route(f, "/api/v1/public/stats/by-district", "GET"),
		route(f, "/api/v1/public/stats/by-municipality", "GET"),
		route(f, "/api/v1/public/stats/by-type", "GET"),
		route(f, "/api/v1/public/stats/summary", "GET"),
		route(f, "/api/v1/public/stats/trends", "GET"),
		route(f, "/api/v1/public/tiles/{z}/{x}/{y}", "GET"),
		route(f, "/log/checkpoint", "GET"),
		route(f, "/log/keys", "GET"),
		route(f, "/log/proof/{log_index}", "GET"),
		route(f, "/log/tile/{path}", "GET"),
		route(f, "/verify", "GET"),
	}
}

func open311Routes() []Route {
	const f = "open311"
	return []Route{
		route(f, "/open311/v2/discovery.json", "GET"),
		route(f, "/open311/v2/discovery.xml", "GET"),
		route(f, "/open311/v2/openapi.json", "GET"),
		route(f, "/open311/v2/requests.csv", "GET"),
		route(f, "/open311/v2/requests.json", "GET", "POST"),
		route(f, "/open311/v2/requests.xml", "GET", "POST"),
		route(f, "/open311/v2/requests/{service_request_id}", "GET"),
		route(f, "/open311/v2/servicerequestupdates.json", "GET", "POST"),
		route(f, "/open311/v2/servicerequestupdates.xml", "GET", "POST"),
		route(f, "/open311/v2/services.json", "GET"),
		route(f, "/open311/v2/services.xml", "GET"),
		route(f, "/open311/v2/services/{service_code}", "GET"),
		route(f, "/open311/v2/tokens/{token}", "GET"),
	}
}

func ogcRoutes() []Route {
	const f = "ogc"
	return []Route{
		route(f, "/ogc", "GET"),
		route(f, "/ogc/api", "GET"),
		route(f, "/ogc/collections", "GET"),
		route(f, "/ogc/collections/{collection}", "GET"),
		route(f, "/ogc/collections/{collection}/items", "GET"),
		route(f, "/ogc/collections/{collection}/items/{feature}", "GET"),
		route(f, "/ogc/conformance", "GET"),
	}
}

func webRoutes() []Route {
	const f = "web"
	return []Route{
		route(f, "/", "GET"),
		route(f, "/admin", "GET"),
		route(f, "/assets/{hash}/{name}", "GET"),
		route(f, "/desk", "GET"),
		route(f, "/map", "GET"),
		route(f, "/me", "GET"),
		route(f, "/r/{number}", "GET"),
		route(f, "/report", "GET"),
		route(f, "/report-worker.js", "GET"),
		route(f, "/stats", "GET"),
		route(f, "/welcome", "GET"),
	}
}

func metaRoutes() []Route {
	const f = "meta"
	return []Route{
		route(f, "/api/v1/", "GET"),
		route(f, "/api/v1/meta", "GET"),
		route(f, "/api/v1/mongodb", "GET"),
		route(f, "/api/v1/openapi.json", "GET"),
		route(f, "/docs", "GET"),
		route(f, "/docs/guides", "GET"),
		route(f, "/docs/guides/{name}", "GET"),
		route(f, "/docs/problems", "GET"),
		route(f, "/docs/problems/{code}", "GET"),
		route(f, "/docs/{file}", "GET"),
		route(f, "/health", "GET"),
		route(f, "/health/ready", "GET"),
		route(f, "/openapi-3.0.json", "GET"),
		route(f, "/openapi.json", "GET"),
		route(f, "/redoc", "GET"),
		route(f, "/redoc/{file}", "GET"),
	}
}
