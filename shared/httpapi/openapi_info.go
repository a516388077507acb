package httpapi

import "github.com/danielgtaylor/huma/v2"

// Version of the API, as the document and /meta state it. It changes when a client has to.
const Version = "1.0.0"

func info() *huma.Info {
	return &huma.Info{
		Title:   "LafaekStreet",
		Version: Version,
		Description: "Civic reporting for Timor-Leste: citizens report broken roads, lights and drains; every event is " +
			"anchored to a public ledger. Journeys of bikepackers share the same roads.",
		License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
	}
}

// Tags of the document, in the order they are shown.
func tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: "auth", Description: "Signing in and out, one-time codes, second factor"},
		{Name: "users", Description: "Profiles, sessions, devices, the link flows of the journey client"},
		{Name: "reports", Description: "Filing, reading and changing reports and their pictures"},
		{Name: "community", Description: "Comments and AI analyses of a report"},
		{Name: "monitoring", Description: "Statistics and the ledger's record of a report"},
		{Name: "locations", Description: "Municipalities and addresses"},
		{Name: "notifications", Description: "What a person was told"},
		{Name: "journeys", Description: "Journeys, markers, riders and reports along a route"},
		{Name: "staff", Description: "The work of moderators, officials and administrators"},
		{Name: "public", Description: "Everything that may be read without signing in"},
		{Name: "meta", Description: "Health, vocabulary, this document"},
	}
}

func idempotencyParameter() *huma.Param {
	return &huma.Param{
		Name: idempotencyHeader, In: "header",
		Description: "Names this request. The same key with the same body gets the first answer again, for 48 hours.",
		Schema:      &huma.Schema{Type: huma.TypeString, MinLength: ptr(1), MaxLength: ptr(200)},
	}
}

func ptr[T any](v T) *T { return &v }
