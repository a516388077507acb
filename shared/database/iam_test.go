package database_test

import (
	"net"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lafaekstreet/backend/shared/database"
)

// passwordOf is the password that the next client of the listener sends. The client is refused.
func passwordOf(t *testing.T, listener net.Listener) string {
	t.Helper()
	conn, err := listener.Accept()
	if err != nil {
		t.Error(err)
		return ""
	}
	defer conn.Close()
	server := pgproto3.NewBackend(conn, conn)
	if _, err := server.ReceiveStartupMessage(); err != nil {
		t.Error(err)
	}
	server.Send(&pgproto3.AuthenticationCleartextPassword{})
	if err := server.Flush(); err != nil {
		t.Error(err)
	}
	if err := server.SetAuthType(pgproto3.AuthTypeCleartextPassword); err != nil {
		t.Error(err)
	}
	message, err := server.Receive()
	if err != nil {
		t.Error(err)
	}
	password, _ := message.(*pgproto3.PasswordMessage)
	if password == nil {
		t.Errorf("the client sends %T", message)
		return ""
	}
	return password.Password
}

// A login of IAM signs in with a token for itself, at this address, signed by the credentials of the function.
func TestALoginOfIAMSendsAToken(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	db, err := database.Open(t.Context(), database.Config{URL: "postgres://lafaek_reports@" + listener.Addr().String() + "/x?sslmode=disable", MaxConns: 1,
		ExecMode: "exec", IAM: database.IAM{Auth: "iam", Region: "us-east-1", KeyID: "AKID", SecretKey: "secret", Session: "session"}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sent := make(chan string, 1)
	go func() { sent <- passwordOf(t, listener) }()
	if err := db.Ping(t.Context()); err == nil {
		t.Error("the server refuses, and the client is content")
	}
	token, err := url.Parse("https://" + <-sent)
	if err != nil {
		t.Fatal(err)
	}
	q := token.Query()
	if token.Host != listener.Addr().String() || q.Get("Action") != "connect" || q.Get("DBUser") != "lafaek_reports" || q.Get("X-Amz-Expires") != "900" ||
		q.Get("X-Amz-Security-Token") != "session" || q.Get("X-Amz-Signature") == "" {
		t.Errorf("token %s", token)
	}
	if _, err := database.Open(t.Context(), database.Config{URL: "postgres://x@127.0.0.1/x", MaxConns: 1, ExecMode: "exec", IAM: database.IAM{Auth: "x"}}); err == nil {
		t.Error("an unknown way to sign in is accepted")
	}
}
