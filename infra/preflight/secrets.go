package preflight

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/valkey-io/valkey-go"

	"github.com/lafaekstreet/backend/functions/notify"
)

// The settings that name secrets.
const (
	databaseSecret  = "database_secret"
	migrationSecret = "migration_secret"
	cacheSecret     = "cache_secret"
	mailSecret      = "mail_secret"
	pushSecret      = "push_secret"
)

// shapes are what a secret contains, for the operator who has to make it.
var shapes = map[string]string{
	databaseSecret:  "postgres://LOGIN:PASSWORD@HOST:5432/DATABASE?sslmode=require",
	migrationSecret: "postgres://OWNER:PASSWORD@HOST:5432/DATABASE?sslmode=require",
	cacheSecret:     "rediss://USER:PASSWORD@HOST:6379",
	mailSecret:      "smtps://USER:PASSWORD@HOST:465",
	pushSecret:      "file://service-account.json",
}

// secrets reads each secret that a setting names, and checks what is in it. It returns the values that are whole, by setting.
func (c *checks) secrets(ctx context.Context) map[string]string {
	client := secretsmanager.NewFromConfig(c.aws)
	values := make(map[string]string)
	for _, s := range []struct{ setting, name string }{
		{databaseSecret, c.DatabaseSecret}, {migrationSecret, c.MigrationSecret}, {cacheSecret, c.CacheSecret},
		{mailSecret, c.MailSecret}, {pushSecret, c.PushSecret},
	} {
		if s.name == "" || c.Managed && s.setting == databaseSecret {
			continue
		}
		if value, ok := c.secret(ctx, client, s.setting, s.name); ok && c.whole(s.setting, s.name, value) {
			values[s.setting] = value
			c.ok("secrets", "%s: %s", s.setting, s.name)
		}
	}
	return values
}

func (c *checks) secret(ctx context.Context, client *secretsmanager.Client, setting, name string) (string, bool) {
	about, err := client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(name)})
	switch {
	case isError(err, "ResourceNotFoundException"):
		c.fail("secrets", "%s: %s does not exist in %s: aws secretsmanager create-secret --name %s --secret-string '%s' --region %s",
			setting, name, c.aws.Region, name, shapes[setting], c.aws.Region)
		return "", false
	case err != nil:
		c.unknown("secrets", setting+", "+name+",", err)
		return "", false
	case about.DeletedDate != nil:
		c.fail("secrets", "%s: %s is about to be deleted: aws secretsmanager restore-secret --secret-id %s --region %s", setting, name, name, c.aws.Region)
		return "", false
	}
	if key := aws.ToString(about.KmsKeyId); key != "" && !strings.HasSuffix(key, "alias/aws/secretsmanager") {
		c.fail("secrets", "%s: %s is encrypted by a key of your own (%s), which functions may not use: make it with the standard key", setting, name, key)
		return "", false
	}
	out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(name)})
	if err != nil {
		c.unknown("secrets", setting+", what "+name+" contains,", err)
		return "", false
	}
	return aws.ToString(out.SecretString), true
}

// whole checks the form of a value. It never prints any of it.
func (c *checks) whole(setting, name, value string) bool {
	trouble := ""
	switch {
	case value == "":
		trouble = "is empty, or binary"
	case setting != pushSecret && strings.TrimSpace(value) != value:
		trouble = "begins or ends with a space or a line break"
	case setting != pushSecret && strings.HasPrefix(value, "{"):
		trouble = "is JSON: put the address alone into it"
	case setting == mailSecret:
		if _, err := notify.NewSMTP(notify.MailConfig{URL: value, From: "a@example.org"}); err != nil {
			trouble = "is not smtps://user:password@host:465 nor smtp://user:password@host:587; write a % in the password as %25"
		}
	case setting == pushSecret:
		if _, err := notify.NewFCM(notify.PushConfig{ServiceAccount: value}); err != nil {
			trouble = "is not the JSON key of a service account: download it from the Firebase console"
		}
	case setting == cacheSecret:
		if _, err := valkey.ParseURL(value); err != nil {
			trouble = "is not rediss://user:password@host:6379; percent-encode the password"
		}
	}
	if trouble != "" {
		c.fail("secrets", "%s: %s %s (aws secretsmanager put-secret-value --secret-id %s --secret-string …)", setting, name, trouble, name)
		return false
	}
	return true
}
