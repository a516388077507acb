package open311

import (
	"context"
	"net/http"
	"net/url"
	"slices"
)

const (
	sectionRequest = "GET Service Request"
	sectionToken   = "GET service_request_id from a token"
	sectionErrors  = "Errors"
)

func singleRequirements() []Requirement {
	return []Requirement{
		{"request.xml", sectionRequest, Must, "requests/{service_request_id}.xml has this request alone", singleIn("xml")},
		{"request.json", sectionRequest, Must, "requests/{service_request_id}.json is an array with this request alone", singleIn("json")},
		{"request.same", sectionRequest, Should, "It is the same as in the list", singleSame},
		{"request.unknown", sectionRequest, Must, "An unknown service_request_id is 404", refused("/requests/"+unknown, nil, http.StatusNotFound)},
	}
}

func singleIn(format string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		if format == "json" && !s.offersJSON(ctx) {
			return errNoJSON
		}
		of, err := s.sample(ctx)
		if err != nil {
			return err
		}
		p, err := s.page(ctx, "/requests/"+url.PathEscape(of.items[0].id)+"."+format, nil, "service_requests")
		if err != nil {
			return err
		}
		if found := words(p.value.items, "service_request_id"); !slices.Equal(found, []string{of.items[0].id}) {
			return p.deviates("the request "+of.items[0].id, "%q", found)
		}
		return nil
	}
}

func singleSame(ctx context.Context, s *session) error {
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	p, err := s.page(ctx, "/requests/"+url.PathEscape(of.items[0].id)+"."+of.format, nil, "service_requests")
	if err != nil || len(p.value.items) == 0 {
		return notTried("the single request cannot be read")
	}
	for _, name := range []string{"service_code", "service_name", "requested_datetime", "description", "lat", "long"} {
		if one, listed := p.value.items[0].word(name), of.items[0].word(name); one != listed {
			return p.deviates(name+" as in the list: "+listed, "%q", one)
		}
	}
	return nil
}

func tokenRequirements() []Requirement {
	return []Requirement{
		{"token.unknown", sectionToken, Must, "An unknown token is 404", refused("/tokens/"+unknown, nil, http.StatusNotFound)},
		{"token.found", sectionToken, Must, "A token of POST gives its service_request_id, or nothing yet", tokenFound},
		{"token.id", sectionToken, Extra, "A service_request_id is taken as a token too, for clients that always ask", tokenOfID},
	}
}

func tokenFound(ctx context.Context, s *session) error {
	if !s.options.Write {
		return errNoWrite
	}
	i := slices.IndexFunc(s.created, func(c created) bool { return c.token != "" })
	if i < 0 {
		return notTried("POST gave no token")
	}
	return inEach(ctx, s, "/tokens/"+url.PathEscape(s.created[i].token), func(p page) error {
		for _, v := range p.value.items {
			if v.word("token") != s.created[i].token {
				return p.deviates("the token that was asked for", "%q", v.word("token"))
			}
		}
		return nil
	})
}

func tokenOfID(ctx context.Context, s *session) error {
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	return inEach(ctx, s, "/tokens/"+url.PathEscape(of.items[0].id), func(p page) error {
		if found := words(p.value.items, "service_request_id"); !slices.Equal(found, []string{of.items[0].id}) {
			return p.deviates("the request "+of.items[0].id, "%q", found)
		}
		return nil
	})
}

// inEach checks path in each format that the server has.
func inEach(ctx context.Context, s *session, path string, check func(p page) error) error {
	for _, f := range formats {
		if f == "json" && !s.offersJSON(ctx) {
			continue
		}
		p, err := s.page(ctx, path+"."+f, nil, "service_requests")
		if err == nil {
			err = check(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func errorRequirements() []Requirement {
	return []Requirement{
		{"errors.xml", sectionErrors, Must, "Errors in XML are errors/error with code and description", errorsIn("xml")},
		{"errors.json", sectionErrors, Must, "Errors in JSON are an array of objects with code and description", errorsIn("json")},
		{"errors.media-type", sectionErrors, Should, "Errors have the media type of their format", func(_ context.Context, s *session) error {
			return s.onAnswers(func(a *answer) bool { return a.refuses() }, (*answer).wantMediaType)
		}},
		{"errors.path", sectionErrors, Should, "An unknown path is 404", refused("/"+unknown, nil, http.StatusNotFound)},
	}
}

// refuses reports whether an answer is an error for something that the specification has.
func (a *answer) refuses() bool {
	return a.status >= 400 && a.status < 500 && !a.extended
}

func errorsIn(format string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		if format == "json" && !s.offersJSON(ctx) {
			return errNoJSON
		}
		return s.onAnswers(func(a *answer) bool { return a.refuses() && a.format == format }, func(a *answer) error {
			v, err := a.document("errors")
			if err != nil {
				return err
			}
			if len(v.items) == 0 {
				return a.deviates("at least one error", "none")
			}
			for _, e := range v.items {
				if without := missing(e, "code", "description"); len(without) > 0 {
					return a.deviates("code and description", "%s", a.summary())
				}
			}
			return nil
		})
	}
}

// onAnswers checks the answers so far that meet a condition. It returns the first deviation.
func (s *session) onAnswers(which func(a *answer) bool, check func(a *answer) error) error {
	n := 0
	for _, a := range s.client.answers {
		if !which(a) {
			continue
		}
		if err := check(a); err != nil {
			return err
		}
		n++
	}
	if n == 0 {
		return notTried("there was no such answer")
	}
	return nil
}
