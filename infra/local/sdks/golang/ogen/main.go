// Command ogen signs in with the client that ogen makes, files a report, reads it and a list, and gets one error by its code.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/google/uuid"
	"github.com/ogen-go/ogen/ogenerrors"

	api "github.com/lafaekstreet/backend/infra/local/sdks/golang/out/ogen"
)

const unknown = "00000000-0000-4000-8000-000000000000"

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// bearer is the access token; empty before signing in.
type bearer struct{ token string }

// Bearer returns the access token.
func (b *bearer) Bearer(context.Context, api.OperationName) (api.Bearer, error) {
	if b.token == "" {
		return api.Bearer{}, ogenerrors.ErrSkipClientSecurity
	}
	return api.Bearer{Token: b.token}, nil
}

// Password is the other name of the same token in the document; one of the two is sent.
func (b *bearer) Password(context.Context, api.OperationName) (api.Password, error) {
	return api.Password{}, ogenerrors.ErrSkipClientSecurity
}

func run(ctx context.Context) error {
	auth := &bearer{}
	client, err := api.NewClient(os.Getenv("API"), auth)
	if err != nil {
		return err
	}
	if auth.token, err = signIn(ctx, client); err != nil {
		return err
	}
	clientID, err := uuid.Parse(os.Getenv("CLIENT_ID"))
	if err != nil {
		return err
	}
	answer, err := client.PostReports(ctx, &api.ReportCreate{ClientID: api.NewOptUUID(clientID), Latitude: -8.5569, Longitude: 125.5603,
		IssueType: api.NewOptIssueType(api.IssueTypePothole), Description: api.NewOptString("Deep hole")}, api.PostReportsParams{})
	if err != nil {
		return err
	}
	filed, ok := answer.(*api.PostReportsCreated)
	if !ok {
		return fmt.Errorf("file: %T", answer)
	}
	return show(ctx, client, filed.Response.ID)
}

// show reads the report, the list and a report that nobody filed, and prints them.
func show(ctx context.Context, client *api.Client, id uuid.UUID) error {
	read, err := client.GetReportsID(ctx, api.GetReportsIDParams{ID: id.String()})
	if err != nil {
		return err
	}
	list, err := client.GetReportsMyReports(ctx, api.GetReportsMyReportsParams{})
	if err != nil {
		return err
	}
	_, err = client.GetReportsID(ctx, api.GetReportsIDParams{ID: unknown})
	var problem *api.ProblemStatusCodeWithHeaders
	if !errors.As(err, &problem) {
		return fmt.Errorf("a report that nobody filed is answered with the error %v", err)
	}
	report, isReport := read.(*api.ReportHeaders)
	page, isPage := list.(*api.MyReportPageHeaders)
	if !isReport || !isPage {
		return fmt.Errorf("answers %T, %T", read, list)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"number": report.Response.ReportNumber, "status": report.Response.Status,
		"listed": slices.ContainsFunc(page.Response.Items, func(r api.ReportSummary) bool { return r.ID == id }),
		"code":   problem.Response.Code,
	})
}

func signIn(ctx context.Context, client *api.Client) (string, error) {
	signedIn, err := client.PostAuthEmailCodeVerify(ctx, &api.CodeVerify{Email: os.Getenv("EMAIL"), Otp: os.Getenv("CODE")})
	if err != nil {
		return "", err
	}
	tokens, ok := signedIn.Response.GetTokens()
	if !ok {
		return "", fmt.Errorf("sign in: %s", signedIn.Response.Type)
	}
	return tokens.AccessToken, nil
}
