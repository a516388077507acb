// Command oapi signs in with the client that oapi-codegen makes, files a report, reads it and a list, and gets one error by its code.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"

	"github.com/google/uuid"
	openapi "github.com/oapi-codegen/runtime/types"

	"github.com/lafaekstreet/backend/infra/local/sdks/golang/out/oapi"
)

const unknown = "00000000-0000-4000-8000-000000000000"

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	client, err := oapi.NewClientWithResponses(os.Getenv("API"))
	if err != nil {
		return err
	}
	token, err := signIn(ctx, client)
	if err != nil {
		return err
	}
	auth := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	clientID, err := uuid.Parse(os.Getenv("CLIENT_ID"))
	if err != nil {
		return err
	}
	description, kind := "Deep hole", oapi.IssueTypePothole
	filed, err := client.PostReportsWithResponse(ctx, nil, oapi.ReportCreate{ClientId: &clientID, IssueType: &kind, Latitude: -8.5569,
		Longitude: 125.5603, Description: &description}, auth)
	if err != nil {
		return err
	}
	if filed.JSON201 == nil {
		return fmt.Errorf("file: %s", filed.Body)
	}
	id := filed.JSON201.Id
	read, err := client.GetReportsIdWithResponse(ctx, id.String(), auth)
	if err != nil {
		return err
	}
	list, err := client.GetReportsMyReportsWithResponse(ctx, nil, auth)
	if err != nil {
		return err
	}
	missing, err := client.GetReportsIdWithResponse(ctx, unknown, auth)
	if err != nil {
		return err
	}
	if read.JSON200 == nil || list.JSON200 == nil || missing.ApplicationproblemJSONDefault == nil {
		return errors.New("a report that was filed cannot be read, or one that was not is found")
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"number": read.JSON200.ReportNumber, "status": read.JSON200.Status,
		"listed": slices.ContainsFunc(list.JSON200.Items, func(r oapi.ReportSummary) bool { return r.Id == id }),
		"code":   missing.ApplicationproblemJSONDefault.Code,
	})
}

func signIn(ctx context.Context, client *oapi.ClientWithResponses) (string, error) {
	signedIn, err := client.PostAuthEmailCodeVerifyWithResponse(ctx, oapi.CodeVerify{Email: openapi.Email(os.Getenv("EMAIL")), Otp: os.Getenv("CODE")})
	if err != nil {
		return "", err
	}
	if signedIn.JSON200 == nil {
		return "", fmt.Errorf("sign in: %s", signedIn.Body)
	}
	result, err := signedIn.JSON200.ValueByDiscriminator()
	if err != nil {
		return "", err
	}
	tokens, ok := result.(oapi.Tokens)
	if !ok {
		return "", fmt.Errorf("sign in: %T", result)
	}
	return tokens.AccessToken, nil
}
