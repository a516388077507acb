package database

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"
	"github.com/jackc/pgx/v5"
)

// IAM is how a login without a password signs in to Aurora: with a token that is signed by the credentials of the function and
// holds for 15 minutes. The token is made in this process, without a request.
type IAM struct {
	// Auth is "iam" for such a login, else empty.
	Auth      string `env:"DATABASE_AUTH"`
	Region    string `env:"AWS_REGION"`
	KeyID     string `env:"AWS_ACCESS_KEY_ID"`
	SecretKey string `env:"AWS_SECRET_ACCESS_KEY"`
	Session   string `env:"AWS_SESSION_TOKEN"`
}

// authIAM is the one value of IAM.Auth.
const authIAM = "iam"

// Retrieve implements aws.CredentialsProvider.
func (i IAM) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: i.KeyID, SecretAccessKey: i.SecretKey, SessionToken: i.Session, Source: "environment"}, nil
}

// beforeConnect gives a new connection a token of its own. It is for pgxpool.Config.BeforeConnect.
func (i IAM) beforeConnect(ctx context.Context, c *pgx.ConnConfig) error {
	address := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	token, err := auth.BuildAuthToken(ctx, address, i.Region, c.User, i)
	if err != nil {
		return fmt.Errorf("make a token to sign in to the database: %w", err)
	}
	c.Password = token
	return nil
}
