package system

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/aws/bedrock"
	"github.com/lafaekstreet/backend/infra/local/fcm"
	"github.com/lafaekstreet/backend/infra/local/google"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/infra/local/nominatim"
	"github.com/lafaekstreet/backend/infra/local/smtp"
)

// The port of a stand-in is PORT plus its offset.
const (
	awsOffset = 1 + iota
	mirrorOffset
	nodeOffset
	secondNodeOffset
	mailOffset
	pushOffset
	googleOffset
	nominatimOffset
)

// standIns are the running stand-ins. One is nil if the environment names another service.
type standIns struct {
	aws    *aws.Server
	hedera *hedera.Server
	mail   *smtp.Server
	push   *fcm.Server
	google *google.Server
}

func (s *System) startStandIns(ctx context.Context) error {
	for _, start := range []func(context.Context) error{
		s.startAWS, s.startHedera, s.startMail, s.startPush, s.startGoogle, s.startNominatim,
	} {
		if err := start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startAWS stands in for S3, SQS, KMS, Secrets Manager and Bedrock unless AWS_ENDPOINT_URL names another. A single
// service named by AWS_ENDPOINT_URL_<SERVICE> is reached there, by the SDK's own rule.
func (s *System) startAWS(context.Context) error {
	s.set("S3_PATH_STYLE", "true") // emulators have one host name for all buckets
	if s.env["AWS_ENDPOINT_URL"] != "" {
		s.set("AWS_REGION", aws.DefaultRegion)
		s.runs("AWS", "AWS_ENDPOINT_URL")
		return nil
	}
	server, err := aws.Start(aws.Options{Addr: s.address(awsOffset), Dir: s.dir("aws"), Faults: s.faults})
	if err != nil {
		return err
	}
	s.onStop("AWS stand-in", server.Close)
	s.stand.aws = server
	// This replaces settings of the environment: credentials of a real account must not be sent to a stand-in.
	maps.Copy(s.env, server.Env())
	delete(s.env, "AWS_SESSION_TOKEN")
	if s.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] == "" { // answers must name the stand-in, not a real model
		s.set("AI_MODEL", bedrock.Model)
		s.set("AI_EMBEDDING_MODEL", bedrock.Model)
	}
	s.runs("AWS", server.URL()+" (stand-in)")
	return nil
}

// startHedera stands in for the ledger's network unless HEDERA_NODES names one.
func (s *System) startHedera(context.Context) error {
	if s.env["HEDERA_NODES"] != "" {
		s.runs("ledger", "HEDERA_NODES")
		return nil
	}
	var nodes []string
	for _, offset := range []int{nodeOffset, secondNodeOffset} {
		address := s.address(offset)
		if address == "" {
			address = "127.0.0.1:0"
		}
		nodes = append(nodes, address)
	}
	server, err := hedera.Start(hedera.Options{Dir: s.dir("hedera"), NodeAddrs: nodes, MirrorAddr: s.address(mirrorOffset), Faults: s.faults})
	if err != nil {
		return err
	}
	s.onStop("ledger stand-in", server.Close)
	s.stand.hedera = server
	s.set("HEDERA_NETWORK", hedera.Network)
	s.set("HEDERA_NODES", pairs(server.Nodes()))
	s.set("HEDERA_MIRROR_URL", server.MirrorURL())
	s.set("HEDERA_EXPLORER_URL", server.MirrorURL()+"/api/v1/transactions/{id}")
	s.set("LEDGER_RECEIPT_DELAY", "1s")
	s.set("LEDGER_CONFIRM_DELAY", "1s")
	s.runs("ledger", server.MirrorURL()+" (stand-in)")
	return nil
}

// startMail keeps all mails in a stand-in unless SMTP_URL names a real server.
func (s *System) startMail(context.Context) error {
	if s.env["SMTP_URL"] != "" {
		s.runs("mail", "SMTP_URL")
		return nil
	}
	server, err := smtp.Start(smtp.Options{Addr: s.address(mailOffset), Dir: s.dir("mail"), Faults: s.faults})
	if err != nil {
		return err
	}
	s.onStop("mail stand-in", server.Close)
	s.stand.mail = server
	s.set("SMTP_URL", server.URL())
	s.runs("mail", server.URL()+" (stand-in)")
	return nil
}

// startPush keeps all push messages in a stand-in unless FCM_ENDPOINT or FCM_SERVICE_ACCOUNT names a real project.
func (s *System) startPush(context.Context) error {
	if s.env["FCM_ENDPOINT"] != "" || s.env["FCM_SERVICE_ACCOUNT"] != "" {
		s.runs("push", "FCM_ENDPOINT")
		return nil
	}
	server, err := fcm.Start(fcm.Options{Addr: s.address(pushOffset), Dir: s.dir("push"), Faults: s.faults})
	if err != nil {
		return err
	}
	s.onStop("push stand-in", server.Close)
	s.stand.push = server
	s.set("FCM_ENDPOINT", server.URL())
	s.set("FCM_SERVICE_ACCOUNT", string(server.ServiceAccount()))
	s.runs("push", server.URL()+" (stand-in)")
	return nil
}

// startGoogle stands in for Google's sign-in unless GOOGLE_KEYS_URL or GOOGLE_ISSUER names another provider.
func (s *System) startGoogle(context.Context) error {
	if s.env["GOOGLE_KEYS_URL"] != "" || s.env["GOOGLE_ISSUER"] != "" {
		s.runs("google", "GOOGLE_ISSUER")
		return nil
	}
	server, err := google.Start(google.Options{Addr: s.address(googleOffset), Dir: s.dir("google"), Faults: s.faults})
	if err != nil {
		return err
	}
	s.onStop("Google stand-in", server.Close)
	s.stand.google = server
	s.set("GOOGLE_KEYS_URL", server.KeysURL())
	s.set("GOOGLE_ISSUER", server.Issuer())
	s.set("GOOGLE_CLIENT_IDS", google.DefaultClientID)
	s.runs("google", server.URL()+" (stand-in)")
	return nil
}

// startNominatim stands in for the geocoder unless NOMINATIM_URL names one.
func (s *System) startNominatim(context.Context) error {
	if s.env["NOMINATIM_URL"] != "" {
		s.runs("geocoder", "NOMINATIM_URL")
		return nil
	}
	server, err := nominatim.Start(nominatim.Options{Addr: s.address(nominatimOffset), Faults: s.faults})
	if err != nil {
		return err
	}
	s.onStop("geocoder stand-in", server.Close)
	s.set("NOMINATIM_URL", server.URL())
	s.runs("geocoder", server.URL()+" (stand-in)")
	return nil
}

// pairs writes a map as name=value,…, in a stable order.
func pairs(values map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, name+"="+values[name])
	}
	return strings.Join(all, ",")
}
