package public

import (
	"context"

	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

func (p *Public) registerQR(a *httpapi.API) {
	op := read("/api/v1/public/reports/{id}/qr.svg", "See the QR code of a report's page",
		"For sheets of paper: the code has the address of the page, /r/{report_number}. id is a report number. Whether there is such a report is not looked up.")
	op.Cache = httpapi.FewMinutes
	content(&op, "The code, one unit a module", "image/svg+xml")
	httpapi.Register(a, op, p.qr)
}

type qrOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (p *Public) qr(ctx context.Context, in *report.RefInput) (*qrOutput, error) {
	number, ok := report.ParseNumber(string(in.ID))
	if !ok {
		return nil, problem.InvalidField("id", "expected a report number")
	}
	image, err := credential.QRCode(p.weblinks.Or(httpapi.Origin(ctx)).Report(number))
	if err != nil {
		return nil, err
	}
	return &qrOutput{ContentType: "image/svg+xml", Body: []byte(image)}, nil
}
