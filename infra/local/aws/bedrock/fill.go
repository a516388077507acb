package bedrock

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
)

// schema is the part of JSON Schema that the tools use.
type schema struct {
	Type                 typeNames
	Enum                 []any
	Properties           map[string]schema
	Items                *schema
	Minimum, Maximum     *float64
	MinLength, MaxLength *int
	MinItems             *int
}

// typeNames is a type or a list of types.
type typeNames []string

// UnmarshalJSON takes both forms.
func (t *typeNames) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = typeNames{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(t))
}

func (s schema) is(name string) bool { return slices.Contains(s.Type, name) }

// fill makes an input for a tool with this schema. Every property is present and within its bounds; its value depends on
// its name and on the picture.
func fill(s schema, v view) map[string]any {
	out := map[string]any{}
	for name, property := range s.Properties {
		out[name] = property.value(strings.ToLower(name), v)
	}
	return out
}

func (s schema) value(name string, v view) any {
	if len(s.Enum) > 0 {
		return s.choose(name, v)
	}
	switch {
	case s.is("boolean"):
		return strings.Contains(name, "relevant") || strings.Contains(name, "real") || strings.Contains(name, "valid")
	case s.is("integer"):
		return int(math.Round(s.number(name, v)))
	case s.is("number"):
		return s.number(name, v)
	case s.is("array"):
		return s.list(name, v)
	case s.is("object"):
		return fill(s, v)
	}
	return s.text(name, v)
}

func (s schema) number(name string, v view) float64 {
	low, high := 0.0, 100.0
	if s.Minimum != nil {
		low = *s.Minimum
	}
	if s.Maximum != nil {
		high = *s.Maximum
	}
	var n float64
	switch {
	case strings.Contains(name, "confidence"), strings.Contains(name, "probability"), strings.Contains(name, "certainty"):
		n = v.confidence()
		if high > 1 && s.Maximum != nil {
			n *= high // a percentage
		}
	case strings.Contains(name, "severity"), strings.Contains(name, "score"):
		n = float64(v.severity())
		if s.Maximum != nil && high <= 1 {
			n /= 10
		}
	case s.Minimum == nil && s.Maximum == nil:
		n = 1
	default:
		n = (low + high) / 2
	}
	return min(max(n, low), high)
}

// choose returns the value of the enum that fits the picture, else the first one.
func (s schema) choose(name string, v view) any {
	wanted := []string{"pothole", "road_damage"}
	switch {
	case strings.Contains(name, "severity"):
		wanted = []string{level(v.severity())}
	case strings.Contains(name, "urgency"), strings.Contains(name, "priority"):
		words := []string{}
		for _, option := range s.Enum {
			if word, ok := option.(string); ok {
				words = append(words, word)
			}
		}
		if i := slices.Index(words, level(v.severity())); i >= 0 {
			return words[i]
		}
		return s.Enum[(v.severity()-1)*len(s.Enum)/10]
	}
	for _, want := range wanted {
		for _, option := range s.Enum {
			if word, ok := option.(string); ok && strings.EqualFold(strings.NewReplacer(" ", "_", "-", "_").Replace(word), want) {
				return option
			}
		}
	}
	return s.Enum[0]
}

// level is the severity of a score from 1 to 10, by the bands of the API.
func level(score int) string {
	switch {
	case score <= 3:
		return "low"
	case score <= 6:
		return "medium"
	case score <= 8:
		return "high"
	}
	return "critical"
}

func (s schema) list(name string, v view) any {
	n := 0
	if s.MinItems != nil {
		n = *s.MinItems
	}
	if strings.Contains(name, "hazard") && v.severity() >= 4 {
		n = max(n, 1)
	}
	out := []any{}
	for range n {
		item := schema{Type: typeNames{"string"}}
		if s.Items != nil {
			item = *s.Items
		}
		out = append(out, item.value(strings.TrimSuffix(name, "s"), v))
	}
	return out
}

func (s schema) text(name string, v view) string {
	words := "local stand-in"
	for _, known := range [][2]string{
		{"title_tet", "Buraku iha estrada"}, {"title_pt", "Buraco na estrada"},
		{"description_tet", "Foto hatudu estrada aat."}, {"description_pt", "A fotografia mostra a estrada danificada."},
		{"reason_tet", "Foto hatudu estrada aat."}, {"reason_pt", "A fotografia mostra uma estrada danificada."},
		{"repair_tet", "Hamoos, tau rai no taka buraku."}, {"repair_pt", "Limpar, encher e compactar o buraco."},
		{"title", "Pothole in the road surface"},
		{"description", "The picture shows " + level(v.severity()) + " damage to the road surface (local stand-in: " + v.String() + ")."},
		{"reason", "The picture shows damage to a road (local stand-in)."},
		{"repair", "Clean, fill and compact the hole, then seal its edges."},
		{"urgency", map[string]string{"low": "within 90 days", "medium": "within 30 days", "high": "within 7 days", "critical": "immediately"}[level(v.severity())]},
		{"hazard", "Riders may lose balance when they cross it."},
		{"size", "about 40 cm across"},
		{"severity", level(v.severity())},
		{"type", "pothole"},
		{"category", "pothole"},
		{"class", "pothole"},
		{"language", "en"},
	} {
		if strings.Contains(name, known[0]) {
			words = known[1]
			break
		}
	}
	if s.MaxLength != nil && len(words) > *s.MaxLength {
		words = words[:max(0, *s.MaxLength)]
	}
	if s.MinLength != nil && len(words) < *s.MinLength {
		words += strings.Repeat(".", *s.MinLength-len(words))
	}
	return words
}
