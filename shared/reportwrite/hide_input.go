package reportwrite

import (
	"strings"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

// HideInput is a request to hide something. Embed it in an input struct.
type HideInput struct {
	IfMatch string `header:"If-Match" doc:"Only when the report is still as this ETag"`
	Body    struct {
		_               struct{} `schema:"HideRequest"`
		ReasonCode      *string  `json:"reason_code,omitempty" words:"reason_code" doc:"Demanded: irrelevant, offensive, personal_data, duplicate_spam, unsafe or other. Told to the author" example:"personal_data"`
		Note            *string  `json:"note,omitempty" maxLength:"2000" doc:"For staff. Demanded for the reason other, where the author reads it too"`
		ExpectedVersion *int     `json:"expected_version,omitempty" doc:"409 when the report has another version"`
	}
}

// HideAliases are the other names of members of HideInput.
func HideAliases() map[string]string { return map[string]string{"reason": "reason_code"} }

// HideStrict are the optional members of HideInput that are refused where they cannot be read.
func HideStrict() []string { return []string{"reason_code", "expected_version"} }

// Hiding is what the request asks for, by an actor. The error is a *problem.Error about one field.
func (in *HideInput) Hiding(by report.Actor) (Hiding, error) {
	code, err := ReadReason(in.Body.ReasonCode)
	if err != nil {
		return Hiding{}, err
	}
	x := Hiding{By: by, Reason: code, Note: noteOf(in.Body.Note)}
	return x, x.check()
}

// Expect is the version of the report that the request names; match checks its If-Match.
func (in *HideInput) Expect(match func(version int) error) Expect {
	return Expect{Match: match, Version: in.Body.ExpectedVersion}
}

// ShowInput is a request to show something again, or to dismiss flags. Embed it in an input struct.
type ShowInput struct {
	IfMatch string `header:"If-Match" doc:"Only when the report is still as this ETag"`
	Body    *struct {
		_               struct{} `schema:"ShowRequest"`
		Note            *string  `json:"note,omitempty" maxLength:"2000" doc:"For staff"`
		ExpectedVersion *int     `json:"expected_version,omitempty" doc:"409 when the report has another version"`
	} `required:"false"`
}

// Note is the note of the request; "" without one.
func (in *ShowInput) Note() string {
	if in.Body == nil {
		return ""
	}
	return noteOf(in.Body.Note)
}

// Expect is the version of the report that the request names; match checks its If-Match.
func (in *ShowInput) Expect(match func(version int) error) Expect {
	e := Expect{Match: match}
	if in.Body != nil {
		e.Version = in.Body.ExpectedVersion
	}
	return e
}

// FlagInput is what a person says against a report or a comment. Embed it in an input struct.
type FlagInput struct {
	Body struct {
		_      struct{} `schema:"FlagRequest"`
		Reason *string  `json:"reason,omitempty" words:"reason_code" doc:"Demanded: irrelevant, offensive, personal_data, duplicate_spam, unsafe or other (alias: reason_code)" example:"offensive"`
		Note   *string  `json:"note,omitempty" maxLength:"2000" doc:"For staff"`
	}
}

// FlagAliases are the other names of members of FlagInput.
func FlagAliases() map[string]string { return map[string]string{"reason_code": "reason"} }

// FlagStrict are the optional members of FlagInput that are refused where they cannot be read.
func FlagStrict() []string { return []string{"reason"} }

// Flag is what the request says. The error is a *problem.Error about one field.
func (in *FlagInput) Flag() (Flag, error) {
	code, ok := report.ReasonCode(""), false
	if in.Body.Reason != nil {
		code, ok = report.ParseReasonCode(*in.Body.Reason)
	}
	if !ok {
		return Flag{}, problem.InvalidField("reason", "required: why it should not be shown")
	}
	return Flag{Reason: code, Note: noteOf(in.Body.Note)}, nil
}

func noteOf(note *string) string {
	if note == nil {
		return ""
	}
	return strings.TrimSpace(database.Text(*note))
}
