package open311

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const sectionUpdates = "Updates (servicerequestupdates, as FixMyStreet uses them)"

// statuses are those that change a problem in FixMyStreet. It sends REOPEN, but reads it as no status.
var statuses = strings.Fields("OPEN INVESTIGATING IN_PROGRESS ACTION_SCHEDULED FIXED DUPLICATE NOT_COUNCILS_RESPONSIBILITY NO_FURTHER_ACTION INTERNAL_REFERRAL FOR_TRIAGE CLOSED CANCELLED")

func updateRequirements() []Requirement {
	return []Requirement{
		{"updates.xml", sectionUpdates, Extra, "servicerequestupdates.xml can be read", updatesIn("xml")},
		{"updates.json", sectionUpdates, Extra, "servicerequestupdates.json is an array", updatesIn("json")},
		{"updates.fields", sectionUpdates, Extra, "Each has update_id, service_request_id, status and updated_datetime", updateFields},
		{"updates.status", sectionUpdates, Extra, "status is one that FixMyStreet knows", updateStatus},
		{"updates.dates", sectionUpdates, Extra, "start_date and end_date bound updated_datetime", updateDates},
		{"updates.no-key", sectionUpdates, Extra, "POST without an api_key is 403", updateNoKey},
		{"updates.post", sectionUpdates, Extra, "POST of an update gives an update_id, and the same one if it is sent again", updatePost},
	}
}

// updates reads the updates of the latest 90 days, or with other dates.
func (s *session) updates(ctx context.Context, format string, from, to time.Time) (page, error) {
	path, params := "/servicerequestupdates."+format, url.Values{"start_date": {from.Format(time.RFC3339)}, "end_date": {to.Format(time.RFC3339)}}
	a, err := s.client.get(ctx, path, params)
	if err != nil {
		return page{}, err
	}
	a.extended = true
	return s.page(ctx, path, params, "service_request_updates")
}

func (s *session) recentUpdates(ctx context.Context, format string) (page, error) {
	return s.updates(ctx, format, s.began.Add(-span+time.Hour), s.began.Add(time.Hour))
}

func updatesIn(format string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		if format == "json" && !s.offersJSON(ctx) {
			return errNoJSON
		}
		_, err := s.recentUpdates(ctx, format)
		return err
	}
}

// anyUpdates are the recent updates. It is not tried without any.
func (s *session) anyUpdates(ctx context.Context) (page, error) {
	p, err := s.recentUpdates(ctx, "xml")
	if err != nil {
		return page{}, notTried("servicerequestupdates.xml cannot be read")
	}
	if len(p.value.items) == 0 {
		return page{}, notTried("there were no updates in the latest 90 days")
	}
	return p, nil
}

func updateFields(ctx context.Context, s *session) error {
	p, err := s.anyUpdates(ctx)
	for _, v := range p.items {
		if err := p.wantMembers(v, "update_id", missing(v, "update_id", "service_request_id", "status", "updated_datetime")); err != nil {
			return err
		}
	}
	return err
}

func updateStatus(ctx context.Context, s *session) error {
	p, err := s.anyUpdates(ctx)
	for _, w := range words(p.items, "status") {
		if !slices.Contains(statuses, strings.ToUpper(w)) {
			return p.deviates("one of "+strings.Join(statuses, ", "), "%q", w)
		}
	}
	return err
}

func updateDates(ctx context.Context, s *session) error {
	p, err := s.anyUpdates(ctx)
	if err != nil {
		return err
	}
	at := moment(p.items[0].word("updated_datetime"))
	if at.IsZero() {
		return p.deviates("a date such as 2010-01-01T00:00:00Z", "%q", p.items[0].word("updated_datetime"))
	}
	from, to := at.Add(-time.Hour), at.Add(time.Hour)
	got, err := s.updates(ctx, "xml", from.Truncate(time.Second), to.Truncate(time.Second))
	if err != nil {
		return err
	}
	if !slices.Contains(words(got.items, "update_id"), p.items[0].word("update_id")) {
		return got.deviates("the update "+p.items[0].word("update_id")+" among others", "%d without it", len(got.items))
	}
	for _, v := range got.items {
		if t := moment(v.word("updated_datetime")); t.Before(from.Truncate(time.Second)) || t.After(to) {
			return got.deviates("nothing before or after these dates", "%s", v.word("updated_datetime"))
		}
	}
	return nil
}

// updateForm is an update of a report that this run filed.
func (s *session) updateForm() (url.Values, error) {
	if !s.options.Write {
		return nil, errNoWrite
	}
	i := slices.IndexFunc(s.created, func(c created) bool { return c.id != "" })
	if i < 0 {
		return nil, errNothingFiled
	}
	return url.Values{"api_key": {s.options.APIKey}, "service_request_id": {s.created[i].id}, "update_id": {"conformance-" + s.created[i].id}, "status": {"OPEN"},
		"updated_datetime": {s.began.Format(time.RFC3339)}, "description": {notice + "An update."}, "first_name": {"Maria"}, "last_name": {"da Costa"}, "email": {private}}, nil
}

func (s *session) postUpdate(ctx context.Context, form url.Values) (*answer, error) {
	a, err := s.client.post(ctx, "/servicerequestupdates.xml", form)
	if err == nil {
		a.extended = true
	}
	return a, err
}

func updateNoKey(ctx context.Context, s *session) error {
	form, err := s.updateForm()
	if err != nil {
		return err
	}
	form.Del("api_key")
	a, err := s.postUpdate(ctx, form)
	if err != nil {
		return err
	}
	return a.wantStatus(http.StatusForbidden)
}

func updatePost(ctx context.Context, s *session) error {
	form, err := s.updateForm()
	if err != nil {
		return err
	}
	var found []string
	for range 2 {
		a, err := s.postUpdate(ctx, form)
		if err != nil {
			return err
		}
		if a.status != http.StatusOK && a.status != http.StatusCreated {
			return a.deviates("200", "%s", a.summary())
		}
		v, err := a.document("service_request_updates")
		if err != nil {
			return err
		}
		if len(v.items) != 1 || v.items[0].word("update_id") == "" {
			return a.deviates("one update with an update_id", "%s", a.summary())
		}
		if found = append(found, v.items[0].word("update_id")); found[0] != found[len(found)-1] {
			return a.deviates("the update_id "+found[0], "%q", found[1])
		}
	}
	return nil
}
