package httpapi

import (
	"maps"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
)

// Version of the API, as the document and /meta state it. It changes when a client has to.
const Version = "1.0.0"

func info() *huma.Info {
	return &huma.Info{
		Title:   "LafaekStreet",
		Version: Version,
		Description: "Civic reporting for Timor-Leste: citizens report broken roads, lights and drains; every event is " +
			"anchored to a public ledger. Journeys of bikepackers share the same roads.\n\n" +
			"How calls work together, from getting started to offline work, pictures, push messages and errors, is in the [guides](/docs/guides). " +
			"What changed, and what may change, is in the [changelog](/docs/guides/changelog). " +
			"Systems of other cities use [Open311](/open311/v2/openapi.json).",
		License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
	}
}

// Tags of the document, in the order they are shown.
func tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: "auth", Description: "Signing in and out, one-time codes, second factor"},
		{Name: "users", Description: "Profiles, sessions, devices, the link flows of the journey client"},
		{Name: "reports", Description: "Creating, reading and changing reports and their pictures"},
		{Name: "community", Description: "Comments and AI analyses of a report"},
		{Name: "monitoring", Description: "Statistics and the ledger's record of a report"},
		{Name: "locations", Description: "Municipalities and addresses"},
		{Name: "notifications", Description: "What a person was told"},
		{Name: "journeys", Description: "Journeys, markers, riders and reports along a route"},
		{Name: "staff", Description: "The work of moderators, officials and administrators. Routes under /staff and /admin refuse query parameters that they do not have (422 unknown_parameter)"},
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

// JSON describes an answer with the body T, for the Responses of an operation that has
// another status than its default. Only an API that describes derives the schema.
func JSON[T any](a *API, description string) *huma.Response {
	schema := &huma.Schema{}
	if t := reflect.TypeFor[T](); a.described != nil {
		schema = a.described.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
	}
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}

// English returns the catalogue's English text of key, for the description of an operation. It is empty in an API that serves, which
// needs no descriptions: a cold start does not wait for the catalogue.
func (a *API) English(key string) string {
	if a.described == nil {
		return ""
	}
	text, _ := locale.Text(locale.English, key, nil)
	return text
}

// schemaNames names the schemas of a document: a type by its own name, or by the tag `schema` of its first field, a page of
// things by the thing, and a type of the same name in another package with the package's name before it.
func schemaNames() func(t reflect.Type, hint string) string {
	taken := map[string]reflect.Type{"Problem": reflect.TypeFor[problem.Document]()}
	return func(t reflect.Type, hint string) string {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t == taken["Problem"] {
			return "Problem"
		}
		plain := schemaName(t, hint)
		name := plain
		for n := 1; ; n++ {
			if owner, is := taken[name]; !is || owner == t {
				taken[name] = t
				return name
			}
			if pkg := path.Base(t.PkgPath()); n == 1 && t.PkgPath() != "" {
				name = strings.ToUpper(pkg[:1]) + pkg[1:] + plain
			} else {
				name = plain + strconv.Itoa(n)
			}
		}
	}
}

// schemaName is the name of a type for those who read the document. In Go a name is read with its package before it, in the
// document alone. So a type, and also one without a name, has the name of its tag: _ struct{} `schema:"JourneyCreate"`.
func schemaName(t reflect.Type, hint string) string {
	if t.Kind() == reflect.Struct && t.NumField() > 0 {
		if name := t.Field(0).Tag.Get("schema"); name != "" {
			return name
		}
	}
	name := huma.DefaultSchemaNamer(t, hint)
	if thing, is := strings.CutPrefix(name, "Envelope"); is {
		return thing + "Page"
	}
	return name
}

// markNullable makes the members of schemas nullable where Go writes null: pointers
// without omitempty. Huma does that for pointers to plain values, not for pointers to
// structs and to types that have a schema of their own.
func markNullable(registry huma.Registry) {
	for name, schema := range registry.Map() {
		t := registry.TypeFromRef("#/components/schemas/" + name)
		if t == nil || schema.Properties == nil {
			continue
		}
		for property, field := range pointersOf(t) {
			if p := schema.Properties[property]; p != nil && field {
				schema.Properties[property] = nullable(p)
			}
		}
	}
}

// pointersOf are the JSON members of a struct that are pointers and written also when nil.
func pointersOf(t reflect.Type) map[string]bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	out := make(map[string]bool)
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || !f.IsExported() || name == "" || name == "-" {
			continue
		}
		out[name] = f.Type.Kind() == reflect.Pointer && !strings.Contains(options, "omitempty")
	}
	return out
}

func nullable(s *huma.Schema) *huma.Schema {
	switch {
	case s.Ref != "":
		return &huma.Schema{Description: s.Description, AnyOf: []*huma.Schema{{Ref: s.Ref}, {Type: "null"}}}
	case s.Type == "" || s.Nullable && (len(s.Enum) == 0 || slices.Contains(s.Enum, nil)):
		return s
	}
	c := *s
	c.Nullable = true
	if len(c.Enum) > 0 {
		c.Enum = append(append([]any{}, c.Enum...), nil)
	}
	c.PrecomputeMessages()
	return &c
}

// operationID derives a stable id such as "get-reports-id-comments".
func operationID(method, path string) string {
	path = strings.TrimPrefix(path, "/api/v1")
	words := strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune("/{}._", r) })
	return strings.Join(append([]string{strings.ToLower(method)}, words...), "-")
}

// correctResponses mends what huma assumes of the answers to o: that 204 has the body of a success.
func (o *Operation) correctResponses(document *huma.OpenAPI) {
	item := document.Paths[o.Path]
	if item == nil {
		return
	}
	op := Operations(item)[o.Method]
	if media := bodyMedia(op); o.ListForms && media != nil {
		op.RequestBody.Content[mediaURLEncoded], op.RequestBody.Content[mediaMultipart] = media, media
	}
	responses := op.Responses
	if none := responses["204"]; none != nil {
		none.Content = nil
	}
}

// Operations are the operations of a path by method.
func Operations(item *huma.PathItem) map[string]*huma.Operation {
	out := make(map[string]*huma.Operation)
	for method, op := range map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put,
		http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	} {
		if op != nil {
			out[method] = op
		}
	}
	return out
}

// passwordFlow lets Swagger UI sign in. The access token that it gets is the one of bearer.
func passwordFlow() *huma.SecurityScheme {
	return &huma.SecurityScheme{
		Type: "oauth2", Description: "Signs in with e-mail and password. An account with a second factor needs POST /api/v1/auth/login.",
		Flows: &huma.OAuthFlows{Password: &huma.OAuthFlow{TokenURL: "/api/v1/auth/token", Scopes: map[string]string{}}},
	}
}

func humaConfig() huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaNames())
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	c := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    info(),
			Servers: []*huma.Server{{URL: "/", Description: "This host"}},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					bearer:   {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
					password: passwordFlow(),
				},
			},
			Tags: tags(),
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
	}
	c.AllowAdditionalPropertiesByDefault = true // unknown members are ignored: a newer app must work with an older server
	return c
}

// document adds to the description of o what its rules imply. Group is the function that serves it.
func (o *Operation) document(group string) {
	o.Security = []map[string][]string{}
	if o.Access != Public {
		o.Security = []map[string][]string{{bearer: {}}, {password: {}}}
	}
	if o.Extensions == nil {
		o.Extensions = make(map[string]any)
	}
	o.Extensions["x-function"] = group
	if o.Creates {
		o.Parameters = append(o.Parameters, idempotencyParameter())
	}
	if o.Deprecation != nil {
		o.Deprecated = true
		o.Description = strings.TrimSpace(o.Description + "\n\n" + o.Deprecation.describe())
	}
	if o.conditional() {
		o.Responses = maps.Clone(o.Responses)
		if o.Responses == nil {
			o.Responses = make(map[string]*huma.Response)
		}
		o.Responses["304"] = &huma.Response{Description: "As If-None-Match names it; without a body"}
	}
}
