// Package report is the vocabulary of reports and the rules of their life: issue types, severities, states and numbers, and
// which moves between states are allowed to whom. Package reportread reads reports, package reportwrite changes them.
package report

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/locale"
)

// IssueType is what is broken.
type IssueType string

// The issue types of the contract.
const (
	Pothole      IssueType = "pothole"
	RoadDamage   IssueType = "road_damage"
	Flooding     IssueType = "flooding"
	Drainage     IssueType = "drainage"
	StreetLight  IssueType = "street_light"
	TrafficSign  IssueType = "traffic_sign"
	Bridge       IssueType = "bridge"
	Sidewalk     IssueType = "sidewalk"
	Debris       IssueType = "debris"
	Waste        IssueType = "waste"
	WaterSupply  IssueType = "water_supply"
	OtherProblem IssueType = "other"
)

// IssueTypes lists them in the order they are shown.
func IssueTypes() []IssueType {
	return []IssueType{Pothole, RoadDamage, Flooding, Drainage, StreetLight, TrafficSign, Bridge, Sidewalk, Debris,
		Waste, WaterSupply, OtherProblem}
}

// ParseIssueType reads an issue type, ignoring case and separators, and accepts the synonyms that old apps and people
// use. For an unknown word it returns OtherProblem and false.
func ParseIssueType(word string) (IssueType, bool) {
	key := fold(word)
	for _, t := range IssueTypes() {
		if strings.ReplaceAll(string(t), "_", "") == key {
			return t, true
		}
	}
	switch key {
	case "hole", "roadhole", "potholes":
		return Pothole, true
	case "road", "roaddamages", "damagedroad", "crack", "cracks", "roadcrack", "landslide", "subsidence":
		return RoadDamage, true
	case "flood", "floods", "floodedroad":
		return Flooding, true
	case "drain", "drains", "gutter", "blockeddrain", "sewer":
		return Drainage, true
	case "light", "lights", "lighting", "lamp", "streetlights", "streetlighting", "brokenlight", "brokenstreetlight":
		return StreetLight, true
	case "sign", "signs", "trafficlight", "trafficsignal", "roadsign", "signage":
		return TrafficSign, true
	case "bridges", "brokenbridge", "damagedbridge":
		return Bridge, true
	case "pavement", "footpath", "sidewalks":
		return Sidewalk, true
	case "obstruction", "obstacle", "fallentree", "rubble":
		return Debris, true
	case "garbage", "trash", "rubbish", "litter", "illegaldumping":
		return Waste, true
	case "water", "waterleak", "leak", "pipe", "waterpipe":
		return WaterSupply, true
	case "others", "misc", "unknown":
		return OtherProblem, true
	}
	return OtherProblem, false
}

// Label returns the name of the type in a language.
func (t IssueType) Label(l locale.Language) string {
	text, _ := locale.Text(l, "label.issue_type."+string(t), nil)
	return text
}

// Schema implements huma.SchemaProvider.
func (IssueType) Schema(huma.Registry) *huma.Schema {
	return enumSchema("What is broken", IssueTypes())
}

// fold is word in lower case without spaces, tabs, hyphens and underscores.
func fold(word string) string {
	return strings.NewReplacer("_", "", "\t", "").Replace(locale.FoldWord(word))
}

func enumSchema[T ~string](doc string, values []T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Description: doc}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}

func parse[T ~string](word string, values []T) (T, bool) {
	key := fold(word)
	for _, v := range values {
		if strings.ReplaceAll(string(v), "_", "") == key {
			return v, true
		}
	}
	var none T
	return none, false
}
