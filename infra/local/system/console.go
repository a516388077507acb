package system

import (
	"net/http"

	"github.com/lafaekstreet/backend/infra/local/console"
)

// withConsole serves the console beside the API. The console shows the stand-ins that run.
func (s *System) withConsole(api http.Handler) http.Handler {
	sources := console.Sources{Faults: s.faults, Links: []console.Link{
		{Title: "API documentation", URL: "/docs"}, {Title: "OpenAPI", URL: "/openapi.json"},
	}}
	// Each is set only when it is there: a nil pointer in an interface is not nil.
	if s.stand.aws != nil {
		sources.Queues, sources.AI = s.stand.aws.SQS, s.stand.aws.Bedrock
	}
	if s.stand.hedera != nil {
		sources.Ledger = s.stand.hedera
	}
	if s.stand.mail != nil {
		sources.Mail = s.stand.mail
	}
	if s.stand.push != nil {
		sources.Push = s.stand.push
	}
	if s.stand.google != nil {
		sources.Google = s.stand.google
	}
	mux := http.NewServeMux()
	mux.Handle(console.Path, console.New(sources))
	mux.Handle("/", api)
	return mux
}
