package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/assembly"
)

// withoutResource are the actions that may be granted on "*", each with its reason. No other action may.
var withoutResource = map[string]string{
	"xray:PutTraceSegments":          "X-Ray's write actions have no resources",
	"xray:PutTelemetryRecords":       "X-Ray's write actions have no resources",
	"ec2:CreateNetworkInterface":     "the ids of Lambda's network interfaces are not known before",
	"ec2:DescribeNetworkInterfaces":  "EC2's Describe actions have no resources",
	"ec2:DescribeSubnets":            "EC2's Describe actions have no resources",
	"ec2:DeleteNetworkInterface":     "the ids of Lambda's network interfaces are not known before",
	"ec2:AssignPrivateIpAddresses":   "the ids of Lambda's network interfaces are not known before",
	"ec2:UnassignPrivateIpAddresses": "the ids of Lambda's network interfaces are not known before",
}

// patternAllowed reports whether a pattern stands for resources under one name of ours alone.
func patternAllowed(resource string) bool {
	switch {
	case strings.HasPrefix(resource, "arn:aws:s3:::") && strings.HasSuffix(resource, "/*") && strings.Count(resource, "*") == 1:
		return strings.Count(strings.TrimPrefix(resource, "arn:aws:s3:::"), "/") >= 2 // bucket/prefix/*, or a part of a prefix
	case strings.Contains(resource, ":log-group:") && strings.HasSuffix(resource, ":*"):
		return strings.Count(resource, "*") == 1 // the streams of one group
	case strings.Contains(resource, ":secret:") && strings.HasSuffix(resource, "-??????"):
		return !strings.Contains(resource, "*") // the ending that Secrets Manager adds
	case strings.HasPrefix(resource, "arn:aws:bedrock:*::foundation-model/"):
		return strings.Count(resource, "*") == 1 // one model, in every region that its inference profile may send a call to
	case strings.Contains(resource, ":dbuser:cluster-*/lafaek_"):
		return strings.Count(resource, "*") == 1 // one login, also in a cluster that is restored
	}
	return false
}

func TestLeastPrivilege(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		for _, f := range w.Functions() {
			name := strings.TrimPrefix(f.Name, w.settings.name(""))
			for _, s := range f.Policy {
				for _, action := range s.Actions {
					if strings.Contains(action, "*") {
						t.Errorf("%s may do %s", name, action)
					}
				}
				for _, resource := range s.Resources {
					if strings.HasPrefix(resource, "<") {
						t.Errorf("%s: unknown resource %s", name, resource)
					}
					if resource == "*" {
						for _, action := range s.Actions {
							if withoutResource[action] == "" {
								t.Errorf("%s may do %s on everything", name, action)
							}
						}
					} else if strings.ContainsAny(resource, "*?") && !patternAllowed(resource) {
						t.Errorf("%s: pattern %s", name, resource)
					}
				}
			}
		}
	})
}

func TestWhoMay(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		for _, c := range []struct {
			action string
			part   string // of the resource's ARN
			want   []string
		}{
			{"kms:Sign", "", []string{"anchor"}},
			{"secretsmanager:GetSecretValue", "-signing-", []string{"auth"}},
			{"secretsmanager:GetSecretValue", "-token-setup", []string{"admin"}},
			{"kms:GetPublicKey", "", []string{"anchor"}},
			{"secretsmanager:GetSecretValue", "receipts", []string{"anchor", "community", "migrate", "notify", "open311", "reports", "staff", "users"}},
			{"s3:PutObject", "log", []string{"anchor"}},
			{"s3:DeleteObject", "log", []string{"anchor"}},
			{"s3:GetObject", "log", []string{"anchor", "migrate", "monitoring", "public"}},
			{"secretsmanager:GetSecretValue", "-sealing-", []string{"admin", "auth", "digest", "notifications", "notify", "users", "webhooks"}},
			{"secretsmanager:PutSecretValue", "", []string{"keys"}},
			{"bedrock:InvokeModel", "", []string{"validate"}},
			// reports, staff and validate move pictures of what is taken down.
			{"s3:PutObject", "renditions/", []string{"images", "reports", "staff", "validate"}},
			{"s3:PutObject", "exports/", []string{"export"}},
			{"s3:PutObject", "originals/", []string{"fetch", "open311", "reports"}},
			{"s3:PutObject", "imports/", []string{"journeys", "migrate"}}, // they sign the addresses to which riders and operators send files
			{"s3:PutObject", "imports/*", []string{"journeys"}},           // migrate: only files of operators
			{"s3:PutObject", "routes/", []string{"journeys"}},
			{"s3:GetObject", "imports/", []string{"journeys", "migrate"}},
			{"s3:GetObject", "imports/*", []string{"journeys"}},
			{"s3:GetObject", "routes/", []string{"journeys"}}, // it signs the addresses of these
			{"s3:DeleteObject", "imports/", nil},              // a lifecycle rule deletes them
			{"s3:DeleteObject", "routes/", nil},
			{"s3:GetObject", "originals/", []string{"fetch", "images"}}, // they contain places where people have been
			{"s3:GetObject", "renditions/", []string{"images", "journeys", "migrate", "open311", "public", "reports", "staff", "users", "validate", "web"}},
			{"s3:GetObject", "exports/", []string{"public"}},
			{"s3:DeleteObject", "exports/", []string{"relay"}},
			{"s3:DeleteObjectVersion", "exports/", []string{"relay"}},
			{"s3:DeleteObject", "originals/", []string{"relay"}},
			{"s3:DeleteObject", "renditions/", []string{"images", "relay", "reports", "staff", "validate"}},
			{"s3:DeleteObjectVersion", "originals/", []string{"relay"}},
			{"s3:DeleteObjectVersion", "renditions/", []string{"relay", "reports", "staff", "validate"}},
			{"s3:ListBucketVersions", "", []string{"relay", "reports", "staff", "validate"}},
			{"s3:ListBucket", "", []string{"anchor", "fetch", "images", "journeys", "migrate", "monitoring", "public", "reports", "staff", "validate"}},
			// The functions that write messages for a queue, and relay, which sends what others could not.
			{"sqs:SendMessage", "-images", []string{"images", "open311", "relay", "reports"}}, // images: to its own dead letters
			{"sqs:SendMessage", "-validate", []string{"fetch", "images", "open311", "relay", "reports", "validate"}},
			{"sqs:SendMessage", "-anchor", []string{"anchor", "auth", "community", "open311", "relay", "reports", "staff", "users", "validate"}},
			{"sqs:SendMessage", "-notify", []string{"admin", "anchor", "auth", "community", "digest", "images", "notify", "open311", "relay", "reports", "staff", "users", "validate", "webhooks"}},
			{"sqs:SendMessage", "-geocode", []string{"geocode", "open311", "relay", "reports"}},
			{"sqs:SendMessage", "-webhooks", []string{"admin", "community", "open311", "relay", "reports", "staff", "validate", "webhooks"}},
			{"sqs:SendMessage", "-fetch", []string{"fetch", "open311", "relay"}},
			{"sqs:ReceiveMessage", "", []string{"anchor", "fetch", "geocode", "images", "notify", "validate", "webhooks"}},
			// Each worker postpones messages of its own queue.
			{"sqs:ChangeMessageVisibility", "-images", []string{"images"}},
			{"sqs:ChangeMessageVisibility", "-validate", []string{"validate"}},
			{"sqs:ChangeMessageVisibility", "-anchor", []string{"anchor"}},
			{"sqs:ChangeMessageVisibility", "-notify", []string{"notify"}},
			{"sqs:ChangeMessageVisibility", "-geocode", []string{"geocode"}},
			{"sqs:ChangeMessageVisibility", "-webhooks", []string{"webhooks"}},
			{"sqs:ChangeMessageVisibility", "-fetch", []string{"fetch"}},
		} {
			if got := who(w, c.action, c.part); !slices.Equal(got, c.want) {
				t.Errorf("%s on …%s…: %v may, want %v", c.action, c.part, got, c.want)
			}
		}
		for _, f := range w.Functions() {
			if strings.HasSuffix(f.Name, "-keys") && f.Allows("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:000000000000:secret:x") {
				t.Error("the function keys may read secrets")
			}
		}
	})
}

// A key signs for the role of anchor alone, also if another role has the permission. The key names the role before it is made.
func TestOnlyAnchorSigns(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		keys := 0
		for _, k := range w.OfType("AWS::KMS::Key") {
			if k.Properties["KeyUsage"] != "SIGN_VERIFY" {
				continue
			}
			keys++
			arn := w.Text(k.Stack, map[string]any{"Fn::GetAtt": []any{k.ID, "Arn"}})
			for _, f := range w.Functions() {
				anchor := strings.HasSuffix(f.Name, "-anchor")
				f.Policy = append(f.Policy, assembly.Statement{Effect: "Allow", Actions: []string{"kms:Sign"}, Resources: []string{arn}})
				if f.Allows("kms:Sign", arn) != anchor {
					t.Errorf("%s signs with %s: %v", f.Name, k.ID, !anchor)
				}
			}
			raw, err := json.Marshal(k.Properties["KeyPolicy"])
			if err != nil || !strings.Contains(string(raw), `"Action":"kms:Sign"`) || !strings.Contains(string(raw), `"Effect":"Deny","Principal":{"AWS":"*"}`) {
				t.Errorf("%s: %s, %v", k.ID, raw, err)
			}
		}
		if keys < 2 {
			t.Errorf("%d keys sign", keys)
		}
	})
}

// who lists the functions that may do action on a resource whose ARN contains part.
func who(w *written, action, part string) []string {
	var out []string
	for _, f := range w.Functions() {
		grants := func(s assembly.Statement) bool {
			return s.Effect == "Allow" && slices.Contains(s.Actions, action) &&
				slices.ContainsFunc(s.Resources, func(r string) bool { return strings.Contains(r, part) })
		}
		if slices.ContainsFunc(f.Policy, grants) {
			out = append(out, strings.TrimPrefix(f.Name, w.settings.name("")))
		}
	}
	slices.Sort(out)
	return out
}

// A function may reach what its configuration names.
func TestConfigurationAndPolicyAgree(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		for _, f := range w.Functions() {
			if _, open := f.Env["WEBHOOK_PRIVATE_ADDRESSES"]; open {
				t.Errorf("%s may call private addresses: the setting is for one machine", f.Name)
			}
			for variable, value := range f.Env {
				if strings.HasSuffix(variable, "_SECRET_ARN") {
					arn, _, _ := strings.Cut(value, "#")
					if !f.Allows("secretsmanager:GetSecretValue", arn) && !f.Allows("secretsmanager:GetSecretValue", arn+"-abcdef") {
						t.Errorf("%s is configured with %s and may not read it", f.Name, variable)
					}
					// An ARN without its random ending is found only if it does not seem to have one.
					if !f.Allows("secretsmanager:GetSecretValue", arn) && arnEnding.MatchString(arn) {
						t.Errorf("%s: Secrets Manager does not find %s by %s", f.Name, variable, arn)
					}
				}
				if strings.Contains(value, "<") {
					t.Errorf("%s: %s is %q", f.Name, variable, value)
				}
			}
			if own := f.Env["QUEUE_URL"]; own != "" && !f.Allows("sqs:ChangeMessageVisibility", "arn:aws:sqs:us-east-1:000000000000:"+own[strings.LastIndex(own, "/")+1:]) {
				t.Errorf("%s may not postpone messages of %s", f.Name, own)
			}
			for pair := range strings.SplitSeq(f.Env["QUEUE_URLS"], ",") {
				_, url, ok := strings.Cut(pair, "=")
				if arn := "arn:aws:sqs:us-east-1:000000000000:" + url[strings.LastIndex(url, "/")+1:]; ok && !f.Allows("sqs:SendMessage", arn) && !f.Allows("sqs:GetQueueAttributes", arn) {
					t.Errorf("%s is configured with %s and may not reach it", f.Name, pair)
				}
			}
		}
	})
}
