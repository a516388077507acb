package open311

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	sectionCreate = "POST Service Request"
	errNoWrite    = notTried("it files reports: give -write and -api-key")
	// notice stands in every description, so that people who see it know what it is.
	notice = "Open311 conformance test, please close. "
	// private is the e-mail address of the person who reports.
	private = "conformance@example.org"
)

// created is a report that this run filed.
type created struct{ id, token, description, lat, long string }

func createRequirements() []Requirement {
	all := []Requirement{
		{"create.no-key", sectionCreate, Must, "Without an api_key it is 403", refusesForm(http.StatusForbidden, func(f url.Values) { f.Del("api_key") })},
		{"create.wrong-key", sectionCreate, Must, "With a wrong api_key it is 403", refusesForm(http.StatusForbidden, func(f url.Values) { f.Set("api_key", unknown) })},
		{"create.no-service", sectionCreate, Must, "Without a service_code it is 400", refusesForm(http.StatusBadRequest, func(f url.Values) { f.Del("service_code") })},
		{"create.unknown-service", sectionCreate, Must, "With an unknown service_code it is 404", refusesForm(http.StatusNotFound, func(f url.Values) { f.Set("service_code", unknown) })},
		{"create.no-place", sectionCreate, Must, "Without a place it is 400", refusesForm(http.StatusBadRequest, func(f url.Values) { f.Del("lat"); f.Del("long") })},
		{"create.half-place", sectionCreate, Must, "With lat and without long it is 400", refusesForm(http.StatusBadRequest, func(f url.Values) { f.Del("long") })},
		{"create.required-attribute", sectionCreate, Must, "Without a required attribute it is 400", requiredAttribute},
		{"create.wrong-value", sectionCreate, Should, "A value that is not in the list of an attribute is 400", wrongValue},
		{"create.too-long", sectionCreate, Should, "A description of more than 4,000 characters is 400", refusesForm(http.StatusBadRequest, func(f url.Values) { f.Set("description", describe(longest+1)) })},
		{"create.xml", sectionCreate, Must, "requests.xml takes every argument, and gives a service_request_id or a token", createAll},
		{"create.json", sectionCreate, Must, "requests.json takes what is required, with the other arguments empty", createLeast},
		{"create.status", sectionCreate, Should, "The answer is 200", createStatus},
		{"create.found", sectionCreate, Should, "The new request can be read by its id", createFound},
		{"create.text", sectionCreate, Must, "Its description comes back as it was sent: 4,000 characters, all of UTF-8, line breaks", createText},
		{"create.place", sectionCreate, Must, "It is where it was sent to, within a kilometre", createPlace},
		{"create.private", sectionCreate, Extra, "The e-mail address and the phone number of the person are not shown", createPrivate},
		{"create.address_string", sectionCreate, Must, "An address_string that the server knows is a place", createBy("address_string", func(o Options) string { return o.Address })},
		{"create.address_id", sectionCreate, Must, "An address_id that the server knows is a place", createBy("address_id", func(o Options) string { return o.AddressID })},
		{"create.media_url", sectionCreate, Must, "A media_url is taken", createBy("media_url", func(o Options) string { return o.MediaURL })},
		{"create.media", sectionCreate, Extra, "A picture in the field media of a multipart form is taken", createPicture},
		{"create.broken-media", sectionCreate, Extra, "A broken picture is refused, or a service_notice speaks of it", createBroken},
	}
	for i := range all {
		check := all[i].check
		all[i].check = func(ctx context.Context, s *session) error {
			if !s.options.Write {
				return errNoWrite
			}
			return check(ctx, s)
		}
	}
	return all
}

// refusesForm checks that a report with one fault is refused with a status, in each format.
func refusesForm(status int, spoil func(f url.Values)) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		for _, f := range formats {
			if f == "json" && !s.offersJSON(ctx) {
				continue
			}
			form, err := s.form(ctx)
			if err != nil {
				return err
			}
			form.Set("description", notice)
			spoil(form)
			a, err := s.client.post(ctx, "/requests."+f, form)
			if err != nil {
				return err
			}
			if err := a.wantStatus(status); err != nil {
				return err
			}
		}
		return nil
	}
}

func requiredAttribute(ctx context.Context, s *session) error {
	form, err := s.form(ctx)
	if err != nil {
		return err
	}
	for name := range form {
		if strings.HasPrefix(name, "attribute[") {
			return refusesForm(http.StatusBadRequest, func(f url.Values) { f.Del(name) })(ctx, s)
		}
	}
	return notTried("the service has no required attribute")
}

func wrongValue(ctx context.Context, s *session) error {
	code, described, err := s.service(ctx)
	if err != nil {
		return err
	}
	if !described {
		return notTried("the service has no attributes")
	}
	attributes, err := s.attributes(ctx, code)
	if err != nil {
		return err
	}
	for _, a := range attributes {
		if a.word("datatype") == "singlevaluelist" {
			return refusesForm(http.StatusBadRequest, func(f url.Values) { f.Set("attribute["+a.word("code")+"]", unknown) })(ctx, s)
		}
	}
	return notTried("the service has no attribute with a list of values")
}

func createAll(ctx context.Context, s *session) error {
	form, err := s.form(ctx)
	if err != nil {
		return err
	}
	for name, v := range map[string]string{"email": private, "device_id": "tt222111", "account_id": "123456", "first_name": "Maria", "last_name": "da Costa",
		"phone": "+67077000000", "description": describe(longest)} {
		form.Set(name, v)
	}
	if code, described, err := s.service(ctx); err == nil && described {
		attributes, err := s.attributes(ctx, code)
		if err != nil {
			return err
		}
		for _, a := range attributes {
			answerAttribute(form, a)
		}
	}
	_, err = s.file(ctx, "xml", form)
	return err
}

func createLeast(ctx context.Context, s *session) error {
	if !s.offersJSON(ctx) {
		return errNoJSON
	}
	form, err := s.form(ctx)
	if err != nil {
		return err
	}
	for _, name := range []string{"address_string", "address_id", "email", "device_id", "account_id", "first_name", "last_name", "phone", "description", "media_url"} {
		form.Set(name, "")
	}
	_, err = s.file(ctx, "json", form)
	return err
}

// createBy files a report with one more argument. An address stands instead of lat and long.
func createBy(argument string, of func(Options) string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		given := of(s.options)
		if given == "" {
			return notTried("no " + argument + " was given")
		}
		form, err := s.form(ctx)
		if err != nil {
			return err
		}
		if strings.HasPrefix(argument, "address") {
			form.Del("lat")
			form.Del("long")
		}
		form.Set(argument, given)
		form.Set("description", notice+argument)
		_, err = s.file(ctx, "xml", form)
		return err
	}
}

const errNothingFiled = notTried("no report was filed")

func createStatus(_ context.Context, s *session) error {
	if len(s.created) == 0 {
		return errNothingFiled
	}
	return s.onAnswers(func(a *answer) bool {
		return strings.HasPrefix(a.request, http.MethodPost) && a.status < 300 && !a.extended
	},
		func(a *answer) error { return a.wantStatus(http.StatusOK) })
}

// read is the page of the first report that was filed with an id.
func (s *session) read(ctx context.Context) (page, created, error) {
	for _, c := range s.created {
		if c.id == "" {
			continue
		}
		p, err := s.page(ctx, "/requests/"+url.PathEscape(c.id)+".xml", nil, "service_requests")
		if found := words(p.value.items, "service_request_id"); err == nil && !slices.Equal(found, []string{c.id}) {
			err = p.deviates("the request "+c.id, "%q", found)
		}
		return p, c, err
	}
	return page{}, created{}, errNothingFiled
}

func createFound(ctx context.Context, s *session) error {
	_, _, err := s.read(ctx)
	return err
}

// shown runs check on the first report that was filed, if it is shown.
func (s *session) shown(ctx context.Context, check func(p page, c created) error) error {
	p, c, err := s.read(ctx)
	if errors.As(err, new(deviation)) {
		return notTried("the new request is not shown")
	}
	if err != nil {
		return err
	}
	return check(p, c)
}

func createText(ctx context.Context, s *session) error {
	return s.shown(ctx, func(p page, c created) error {
		got := p.value.items[0].word("description")
		if got == "" {
			return notTried("the description of the new request is not shown")
		}
		if want := strings.TrimSpace(c.description); got != want {
			return p.deviates(fmt.Sprintf("the %d characters that were sent", len([]rune(want))), "%d characters: %.80q", len([]rune(got)), got)
		}
		return nil
	})
}

func createPlace(ctx context.Context, s *session) error {
	return s.shown(ctx, func(p page, c created) error {
		for _, axis := range []struct{ name, sent string }{{"lat", c.lat}, {"long", c.long}} {
			got, ok := number(p.value.items[0].word(axis.name))
			want, _ := number(axis.sent)
			if !ok || math.Abs(got-want) > 0.01 {
				return p.deviates(axis.name+" "+axis.sent, "%q", p.value.items[0].word(axis.name))
			}
		}
		return nil
	})
}

func createPrivate(ctx context.Context, s *session) error {
	return s.shown(ctx, func(p page, _ created) error {
		if bytes.Contains(p.body, []byte(private)) || bytes.Contains(p.body, []byte("67077000000")) {
			return p.deviates("no contact of the person", "it")
		}
		return nil
	})
}

func createPicture(ctx context.Context, s *session) error {
	picture := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i * i >> 8) // not of one colour
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, picture, nil); err != nil {
		return err
	}
	a, form, err := s.upload(ctx, "picture", file.Bytes())
	if err != nil {
		return err
	}
	_, err = s.filed(a, form)
	return err
}

func createBroken(ctx context.Context, s *session) error {
	a, form, err := s.upload(ctx, "broken picture", []byte("this is no picture"))
	if err != nil || a.status == http.StatusBadRequest {
		return err
	}
	p, err := s.filed(a, form)
	if err == nil && p.value.items[0].word("service_notice") == "" {
		return p.deviates("400, or a service_notice", "%s", a.summary())
	}
	return err
}
