package web

import (
	"context"
	_ "embed" // the page
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/workday"
)

//go:embed pages/admin.html
var adminHTML string

// admin renders the page. What an administrator sees on it, the scripts fetch; the limits of settings are no secret.
func (w *Web) admin(ctx context.Context, in *PageInput) (*pageOutput, error) {
	_, v := w.view(ctx, *in)
	known, err := settingLimits()
	if err != nil {
		return nil, err
	}
	year := w.clock.Now().In(report.Zone()).Year()
	return v.render(v.withMap(content{
		title: v.t("page.admin.title"), main: literal(adminHTML), wide: true,
		head:   v.stylesheet("admin.css"),
		starts: true, modules: []string{"core.js", "sign_in.js", "admin.js", "admin_parts.js"}, topics: []string{"admin"},
		data: map[string]any{"settings": known, "holidays": slices.Concat(workday.Holidays(year), workday.Holidays(year+1))},
	}))
}

// settingLimit is what the page knows of a setting: its limits and its default. A setting of several numbers has their limits.
type settingLimit struct {
	Name    string          `json:"name"`
	Min     json.RawMessage `json:"min,omitempty"`
	Max     json.RawMessage `json:"max,omitempty"`
	Whole   bool            `json:"whole,omitempty"` // no fractions
	Default json.RawMessage `json:"default"`
}

// settingLimits reads the settings from the type that checks them, so that the page cannot differ from the API.
func settingLimits() ([]settingLimit, error) {
	var out []settingLimit
	defaults := reflect.ValueOf(settings.Default())
	for i, f := range reflect.VisibleFields(defaults.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		value, err := json.Marshal(defaults.Field(i).Interface())
		if err != nil {
			return nil, fmt.Errorf("encode default of %s: %w", name, err)
		}
		limits := f.Tag
		if f.Type.Kind() == reflect.Struct {
			limits = f.Type.Field(0).Tag
		}
		out = append(out, settingLimit{Name: name, Min: json.RawMessage(limits.Get("minimum")), Max: json.RawMessage(limits.Get("maximum")),
			Whole: f.Type.Kind() != reflect.Float64, Default: value})
	}
	return out, nil
}
