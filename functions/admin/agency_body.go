package admin

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/agency"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/settings"
)

// Types of agencies.
const (
	agencyTypeMunicipal  = "municipal"
	agencyTypeNational   = "national"
	agencyTypeContractor = "contractor"
)

// agencyBody is an agency as sent; what is absent stays as it is.
type agencyBody struct {
	_                 struct{}  `schema:"AgencyWrite"`
	Code              *string   `json:"code,omitempty" maxLength:"40" doc:"2 to 40 letters, digits, hyphens or underscores" example:"OP-DILI"`
	Name              *string   `json:"name,omitempty" maxLength:"200" example:"Public Works Dili"`
	NameTet           *string   `json:"name_tet,omitempty" maxLength:"200"`
	NamePt            *string   `json:"name_pt,omitempty" maxLength:"200"`
	AgencyType        *string   `json:"agency_type,omitempty" maxLength:"20" doc:"municipal, national or contractor"`
	MunicipalityCodes *[]string `json:"municipality_codes,omitempty" maxItems:"20" doc:"Of /locations/municipalities"`
	IssueTypes        *[]string `json:"issue_types,omitempty" maxItems:"20"`
	ContactEmail      *string   `json:"contact_email,omitempty" maxLength:"320" doc:"Empty for none"`
	Area              areaBody  `json:"area" required:"false"`
}

// areaOnto checks the area that was sent and writes it to a; a null clears it. An area that was not sent must still lie in the
// municipalities, where these were sent.
func (b agencyBody) areaOnto(ctx context.Context, tx *outbox.Tx, a *agency.Agency) error {
	switch {
	case b.Area.clears():
		a.Area, a.AreaPoints = nil, 0
		return nil
	case !b.Area.sent() && (a.Area == nil || b.MunicipalityCodes == nil):
		return nil
	}
	text := areaText(a.Area)
	if b.Area.sent() {
		current, err := settings.Read(ctx, tx)
		if err != nil {
			return err
		}
		sent, err := b.Area.check(current.Area)
		if err != nil {
			return err
		}
		text = &sent
	}
	checked := askArea(tx, *text, a.MunicipalityCodes)
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("check area: %w", err)
	}
	area, err := checked.Get().areaOf()
	if err != nil {
		return err
	}
	a.Area, a.AreaPoints = area, checked.Get().Points
	return nil
}

// complete checks that a new agency has what every one has.
func (b agencyBody) complete() error {
	for _, needed := range []struct {
		name  string
		value *string
	}{{"code", b.Code}, {"name", b.Name}, {"agency_type", b.AgencyType}} {
		if needed.value == nil {
			return problem.InvalidField(needed.name, "expected to be there")
		}
	}
	return nil
}

var agencyCode = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Z0-9][A-Z0-9_-]{1,39}$`)
})

// onto checks the members that were sent and writes them to a. there has the sent codes that name a municipality.
func (b agencyBody) onto(there []string, a *agency.Agency) error {
	if b.Code != nil {
		if a.Code = strings.ToUpper(strings.TrimSpace(*b.Code)); !agencyCode().MatchString(a.Code) {
			return problem.InvalidField("code", "expected 2 to 40 letters, digits, hyphens or underscores")
		}
	}
	if b.Name != nil {
		if a.Name = strings.TrimSpace(*b.Name); a.Name == "" {
			return problem.InvalidField("name", "expected 1 to 200 characters")
		}
	}
	if b.NameTet != nil {
		a.NameTet = strings.TrimSpace(*b.NameTet)
	}
	if b.NamePt != nil {
		a.NamePt = strings.TrimSpace(*b.NamePt)
	}
	if b.AgencyType != nil {
		a.AgencyType = locale.FoldWord(*b.AgencyType)
		if !slices.Contains([]string{agencyTypeMunicipal, agencyTypeNational, agencyTypeContractor}, a.AgencyType) {
			return problem.InvalidField("agency_type", "expected municipal, national or contractor")
		}
	}
	if b.ContactEmail != nil {
		if err := b.contact(a); err != nil {
			return err
		}
	}
	if b.IssueTypes != nil {
		if err := b.issueTypes(a); err != nil {
			return err
		}
	}
	if b.MunicipalityCodes != nil {
		return b.municipalities(there, a)
	}
	return nil
}

func (b agencyBody) contact(a *agency.Agency) error {
	if a.ContactEmail = nil; strings.TrimSpace(*b.ContactEmail) == "" {
		return nil
	}
	address, ok := mail.ParseAddress(*b.ContactEmail)
	if !ok {
		return problem.InvalidField("contact_email", "expected an e-mail address")
	}
	a.ContactEmail = &address
	return nil
}

func (b agencyBody) issueTypes(a *agency.Agency) error {
	a.IssueTypes = []string{}
	for _, word := range *b.IssueTypes {
		t, known := report.ParseIssueType(word)
		if !known {
			return problem.InvalidField("issue_types", "expected issue types")
		}
		if !slices.Contains(a.IssueTypes, string(t)) {
			a.IssueTypes = append(a.IssueTypes, string(t))
		}
	}
	return nil
}

// codes are the codes sent, in upper case with the prefix TL-, each once.
func (b agencyBody) codes() []string {
	codes := []string{}
	if b.MunicipalityCodes == nil {
		return codes
	}
	for _, code := range *b.MunicipalityCodes {
		code = strings.ToUpper(strings.TrimSpace(code))
		if !strings.HasPrefix(code, "TL-") {
			code = "TL-" + code
		}
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	return codes
}

// askMunicipalities reads which of the codes sent name a municipality.
func (b agencyBody) askMunicipalities(p database.Pipeline) *database.Ask[[]string] {
	return database.AskRows(p, pgx.RowTo[string], `SELECT code FROM municipalities WHERE code = ANY($1) ORDER BY code`, b.codes())
}

func (b agencyBody) municipalities(there []string, a *agency.Agency) error {
	if len(there) != len(b.codes()) {
		return problem.InvalidField("municipality_codes", "expected codes of municipalities")
	}
	a.MunicipalityCodes = there
	return nil
}
