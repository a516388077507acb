package open311

import (
	"context"
	"net/http"
	"net/url"
)

// describe returns a description of n characters.
func describe(n int) string {
	text := []rune(notice + "Buraku boot iha estrada – não há água, ñ, ‘aspas’, 道路, \U0001F6A7.\nSecond line with <, > & \".\n")
	for len(text) < n {
		text = append(text, text[:min(len(text), n-len(text))]...)
	}
	text = text[:n]
	text[n-1] = '.' // no white space at the end
	return string(text)
}

// form is a report with what is required (key, service, place and required attributes) and with an e-mail address, which some servers demand.
func (s *session) form(ctx context.Context) (url.Values, error) {
	code, described, err := s.service(ctx)
	if err != nil {
		return nil, err
	}
	lat, long := s.options.Lat, s.options.Long
	if lat == "" {
		of, err := s.sample(ctx)
		if err != nil {
			return nil, notTried("it needs a place: give -lat and -long")
		}
		lat, long = of.items[0].word("lat"), of.items[0].word("long")
	}
	form := url.Values{"api_key": {s.options.APIKey}, "service_code": {code}, "lat": {lat}, "long": {long}, "email": {private}}
	if !described {
		return form, nil
	}
	attributes, err := s.attributes(ctx, code)
	for _, a := range attributes {
		if a.word("required") == "true" {
			answerAttribute(form, a)
		}
	}
	return form, err
}

// attributes are those of a service that a person answers.
func (s *session) attributes(ctx context.Context, code string) ([]value, error) {
	pages, err := s.pages(ctx, "/services/"+url.PathEscape(code), "service_definition")
	if err != nil {
		return nil, err
	}
	var out []value
	for _, a := range pages[0].list("attributes") {
		if a.word("variable") == "true" {
			out = append(out, a)
		}
	}
	return out, nil
}

// answerAttribute sets a value of the attribute's datatype: the first ones of a list.
func answerAttribute(form url.Values, a value) {
	name, keys := "attribute["+a.word("code")+"]", words(a.list("values"), "key")
	switch t := a.word("datatype"); {
	case t == "singlevaluelist" && len(keys) > 0:
		form.Set(name, keys[0])
	case t == "multivaluelist":
		form[name+"[]"] = keys[:min(len(keys), 2)]
	case t == "number":
		form.Set(name, "3")
	case t == "datetime":
		form.Set(name, "2026-01-02T03:04:05Z")
	default:
		form.Set(name, "test")
	}
}

// file posts a report and keeps what the answer says of it.
func (s *session) file(ctx context.Context, format string, form url.Values) (page, error) {
	a, err := s.client.post(ctx, "/requests."+format, form)
	if err != nil {
		return page{}, err
	}
	return s.filed(a, form)
}

func (s *session) filed(a *answer, form url.Values) (page, error) {
	if a.status != http.StatusOK && a.status != http.StatusCreated {
		return page{}, a.deviates("200", "%s", a.summary())
	}
	v, err := a.document("service_requests")
	if err != nil {
		return page{}, err
	}
	if len(v.items) != 1 {
		return page{}, a.deviates("one request", "%d", len(v.items))
	}
	id, token := v.items[0].word("service_request_id"), v.items[0].word("token")
	if (id == "") == (token == "") {
		return page{}, a.deviates("a service_request_id or a token", "the id %q and the token %q", id, token)
	}
	s.created = append(s.created, created{id, token, form.Get("description"), form.Get("lat"), form.Get("long")})
	return page{a, v}, nil
}

// upload posts a report with a file in the field media.
func (s *session) upload(ctx context.Context, description string, file []byte) (*answer, url.Values, error) {
	form, err := s.form(ctx)
	if err != nil {
		return nil, nil, err
	}
	form.Set("description", notice+description)
	a, err := s.client.postFile(ctx, "/requests.json", form, file)
	if err == nil {
		a.extended = true
	}
	return a, form, err
}
