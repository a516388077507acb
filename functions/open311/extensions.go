package open311

import (
	"context"
	"strconv"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// extensions are the members of a report with extensions=true. attributes and extended_attributes are as servers in use have them;
// what no other server has is below extensions.
func (g *Group) extensions(ctx context.Context, s *reportread.Summary, d reportread.FullDetails) object {
	photos := list{item: "photo"}
	for _, p := range d.Pictures {
		photos.values = append(photos.values, object{
			{"media_url", g.base(ctx).Picture(s.ReportNumber, p.ID, "display")}, {"title", p.Kind},
			{"width", p.Width}, {"height", p.Height}, {"created_at", w3Text(p.CreatedAt)}})
	}
	return object{
		{"attributes", answered(ctx, s, d.Anonymous)},
		{"extended_attributes", object{{"channel", string(s.Source)}, {"photos", photos}}},
		{"extensions", g.own(ctx, s, d)},
	}
}

// answered are the attributes of a report that are known. The language of a reporter is not shown to others.
func answered(ctx context.Context, s *reportread.Summary, anonymous bool) list {
	out := list{item: "attribute"}
	add := func(a attribute, code string) {
		value := code
		if a.keys != nil {
			value = a.name(ctx, code)
		}
		out.values = append(out.values, object{{"label", locale.TextFor(ctx, "open311.attribute."+a.code)}, {"name", a.code}, {"value", value}, {"code", code}})
	}
	for _, a := range attributes() {
		switch {
		case a.code == attributeSeverity && s.Severity != nil:
			add(a, string(*s.Severity))
		case a.code == attributeAccuracy && s.LocationAccuracy != nil:
			add(a, strconv.FormatFloat(*s.LocationAccuracy, 'f', -1, 64))
		case a.code == attributeAnonymous:
			add(a, strconv.FormatBool(anonymous))
		}
	}
	return out
}

// own is what no other server has: our status and id, the agency, the names of the place, and the place in the public log.
func (g *Group) own(ctx context.Context, s *reportread.Summary, d reportread.FullDetails) object {
	var agency, receipt, index any
	if s.AssignedAgency != nil {
		agency = object{{"code", s.AssignedAgency.Code}, {"name", s.AssignedAgency.Name}, {"type", s.AssignedAgency.AgencyType}}
	}
	if d.First != nil {
		index = int(d.First.Index)
		if r := g.receipts.For(ctx, *d.First); r != nil {
			receipt = object{{"note", r.Note}, {"payload", r.Payload}}
		}
	}
	return object{
		{"id", s.ID.String()}, {"status", string(s.Status)}, {"agency", agency},
		{"suco", textOr(s.Suco)}, {"district", textOr(s.District)}, {"municipality", textOr(s.Municipality)},
		{"updated_at", w3Text(s.UpdatedAt.Time)}, {"log_index", index}, {"receipt", receipt},
	}
}

// textOr is a text, or nil for none.
func textOr(text *string) any {
	if text == nil {
		return nil
	}
	return *text
}
