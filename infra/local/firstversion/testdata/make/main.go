// Command make plays people against a system of the first version that runs on this machine, and stores what they hold in
// the end (held.json) beside the objects of its storage. README.md beside it says how to run it.
package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const passphrase = "tasi-mane-2026-kalen"

// play is one run.
type play struct {
	base    string
	reports map[string]string // what is special about a report: its id
	held    object
	n       int // pictures so far
}

func main() {
	p := &play{base: os.Args[1], reports: map[string]string{}, held: object{}}
	admin, secret := p.admin()
	official := p.person("official@example.org", "Filomena Soares")
	agency := admin.call("POST", "/admin/agencies", object{"code": "OP-DIL", "name": "Obras Publikas Dili", "agency_type": "municipal",
		"municipality_codes": []string{"DI"}, "issue_types": []string{"pothole", "flooding"}})
	admin.call("PATCH", "/admin/users/"+official.call("GET", "/users/me", nil)["id"].(string),
		object{"role": "government_official", "agency_id": agency["id"], "reason": "works there"})
	maria, joao, ana := p.person("maria@example.org", "Maria da Costa"), p.person("joao@example.org", "João Pereira"), p.person("ana@example.org", "Ana Gusmão")
	p.decided(admin, maria, joao, agency["id"].(string))
	p.takenDown(admin, maria, joao)
	p.erased(maria, ana)
	p.batch(maria)
	p.settled(maria)
	p.waiting(maria, joao)
	p.held["password"], p.held["totp_secret"], p.held["reports"] = passphrase, secret, p.reports
	write("held.json", p.held)
	check(objects())
}

// admin makes the first administrator, with a second factor.
func (p *play) admin() (*client, string) {
	c := &client{base: p.base}
	made := c.call("POST", "/admin/setup", object{"setup_token": "local-admin-setup", "email": "admin@example.org", "password": passphrase, "full_name": "Domingos Ximenes"})
	secret := made["secret"].(string)
	asked := c.call("POST", "/auth/login", object{"email": "admin@example.org", "password": passphrase})
	in := c.call("POST", "/auth/totp/verify", object{"challenge_id": asked["challenge_id"], "code": totp(secret)})
	c.token = in["access_token"].(string)
	p.held["admin_refresh"] = in["refresh_token"]
	return c, secret
}

// person registers somebody.
func (p *play) person(address, name string) *client {
	c := &client{base: p.base}
	c.call("POST", "/auth/register", object{"email": address, "password": passphrase, "full_name": name, "preferred_language": "tet"})
	in := c.call("POST", "/auth/verify-otp", object{"email": address, "otp": c.code(address),
		"device": object{"device_id": "phone of " + address, "platform": "android", "fcm_token": "token of " + address}})
	c.token = in["access_token"].(string)
	p.held[strings.SplitN(address, "@", 2)[0]+"_refresh"] = in["refresh_token"]
	return c
}

// body is a new report with a number of pictures.
func (p *play) body(c *client, pictures int, more object) object {
	p.n++
	b := object{"client_id": fmt.Sprintf("0198f000-0000-7000-8000-%012d", p.n), "issue_type": "pothole", "title": fmt.Sprintf("Dalan aat %d", p.n),
		"description": fmt.Sprintf("Rai-kuak boot iha dalan, fatin %d", p.n), "latitude": -8.55 + float64(p.n)/150, "longitude": 125.56 + float64(p.n)/150,
		"address": "Rua de Balide 7", "captured_at": "2026-11-20T08:00:00Z"}
	var images []object
	for range pictures {
		p.n++
		images = append(images, object{"upload_id": c.upload(p.n, true)})
	}
	if images != nil {
		b["images"] = images
	}
	for name, value := range more {
		b[name] = value
	}
	return b
}

// file files a report. name is what is special about it.
func (p *play) file(c *client, name string, pictures int, more object) string {
	r := c.call("POST", "/reports", p.body(c, pictures, more))
	p.reports[name] = r["id"].(string)
	return p.reports[name]
}

// is waits until the report has a status and is on the ledger.
func (p *play) is(c *client, id, status string) {
	c.until(id, func(r object) bool { return r["status"] == status && r["blockchain"].(object)["status"] == "confirmed" })
}

func (p *play) script(answer object) {
	(&client{base: p.base}).do("POST", "/_local/ai", object{"answers": []any{answer}})
}

// decided makes a report of each status that a judged report can have.
func (p *play) decided(admin, maria, joao *client, agency string) {
	fixed := p.file(maria, "fixed", 1, nil)
	p.is(maria, fixed, "verified")
	progress := p.file(joao, "in_progress", 1, object{"is_anonymous": true})
	p.is(joao, progress, "verified")
	verified := p.file(maria, "verified", 1, object{"issue_type": "flooding"})
	p.is(maria, verified, "verified")
	doubled := p.file(joao, "duplicate", 1, nil)
	p.is(joao, doubled, "verified")

	admin.call("POST", "/reports/"+fixed+"/assign", object{"agency_id": agency, "due_at": "2026-12-24T00:00:00Z", "note": "please look"})
	admin.call("POST", "/reports/"+progress+"/assign", object{"agency_id": agency})
	admin.call("POST", "/reports/"+fixed+"/notes", object{"content": "asked the team by phone"})
	for _, id := range []string{fixed, progress} {
		admin.call("POST", "/reports/"+id+"/status", object{"status": "in_progress", "note": "ekipa ba ona"})
	}
	p.n++
	admin.call("POST", "/reports/"+fixed+"/images", object{"upload_id": admin.upload(p.n, true), "kind": "resolution"})
	admin.call("POST", "/reports/"+fixed+"/status", object{"status": "fixed", "note": "taka ona ho alkatraun"})
	admin.call("POST", "/reports/"+doubled+"/status", object{"status": "duplicate", "duplicate_of": verified, "note": "hanesan"})
	maria.call("POST", "/reports/"+progress+"/comments", object{"content": "Ha'u mós haree ida-ne'e", "client_id": "0198f000-0000-7000-8000-00000000c001"})
	c := joao.call("POST", "/reports/"+verified+"/comments", object{"content": "Be tama uma laran"})
	joao.call("DELETE", "/reports/"+verified+"/comments/"+c["id"].(string), nil)
	for id, status := range map[string]string{fixed: "fixed", progress: "in_progress", doubled: "duplicate"} {
		p.is(admin, id, status)
	}
}

// takenDown makes reports that the public does not see any more.
func (p *play) takenDown(admin, maria, joao *client) {
	p.script(object{"is_relevant": false, "confidence": 0.99, "reason": "a cat"})
	p.is(maria, p.file(maria, "rejected_by_ai", 1, nil), "rejected")
	staff := p.file(joao, "rejected_by_staff", 0, nil)
	p.is(joao, staff, "pending")
	admin.call("POST", "/reports/"+staff+"/status", object{"status": "rejected", "note": "no road of ours"})
	p.is(joao, staff, "rejected")
	gone := p.file(maria, "withdrawn", 0, nil)
	p.is(maria, gone, "pending")
	maria.call("DELETE", "/reports/"+gone, nil)
	removed := p.file(joao, "removed", 1, nil)
	p.is(joao, removed, "verified")
	admin.call("DELETE", "/reports/"+removed, nil)
}

// erased makes somebody who reported, commented and deleted the account.
func (p *play) erased(maria, ana *client) {
	id := p.file(ana, "erased", 1, nil)
	p.is(ana, id, "verified")
	ana.call("POST", "/reports/"+p.reports["verified"]+"/comments", object{"content": "Ana nia liafuan"})
	maria.call("POST", "/reports/"+id+"/comments", object{"content": "Obrigada, Ana"})
	ana.call("DELETE", "/users/me", object{"password": passphrase})
}

// batch makes many events at once, which one message carries.
func (p *play) batch(maria *client) {
	var bodies []object
	for range 8 {
		bodies = append(bodies, p.body(maria, 0, nil))
	}
	answer := maria.call("POST", "/reports/batch", object{"reports": bodies}, "Idempotency-Key", "batch-of-the-first-version")
	for i, item := range answer["results"].([]any) {
		id := item.(object)["report"].(object)["id"].(string)
		p.reports[fmt.Sprintf("batched_%d", i)] = id
		p.is(maria, id, "pending")
	}
}

// settled makes what a client may send again, and uploads that belong to nothing.
func (p *play) settled(maria *client) {
	body := p.body(maria, 1, nil)
	answer, _ := maria.do("POST", "/api/v1/reports", body, "Idempotency-Key", "report-of-the-first-version")
	p.reports["repeated"] = answer["id"].(string)
	p.held["repeated_body"], p.held["repeated_answer"] = body, answer
	p.is(maria, p.reports["repeated"], "verified")
	p.held["upload_sent"], p.held["upload_not_sent"] = maria.upload(90, true), maria.upload(91, false)
	p.held["upload_sent_sha256_of"] = 90
}

// waiting makes events in each state before the ledger has confirmed them.
func (p *play) waiting(maria, joao *client) {
	faulty := func(service, operation, mode string) {
		(&client{base: p.base}).do("POST", "/_local/faults", object{"service": service, "operation": operation, "mode": mode, "count": -1})
	}
	faulty("mirror", "", "error")
	sent := p.file(joao, "submitted", 0, nil)
	joao.until(sent, func(r object) bool { return r["blockchain"].(object)["sequence_number"] != nil })
	faulty("hedera", "", "error")
	half := p.file(joao, "prepared", 0, nil)
	joao.until(half, func(r object) bool { return r["blockchain"].(object)["status"] == "submitting" })
	time.Sleep(5 * time.Second) // a node is asked, and refuses
	unsent := p.file(maria, "waiting", 0, nil)
	maria.call("PATCH", "/reports/"+unsent, object{"description": "Rai-kuak sai boot liu"})
	maria.call("PATCH", "/reports/"+p.reports["batched_0"], object{"title": "Dalan aat tebes"})
	time.Sleep(3 * time.Second)
}

// objects stores the objects of the bucket as objects.tar.gz.
func objects() error {
	ctx := context.Background()
	store := s3.New(s3.Options{UsePathStyle: true, Region: os.Getenv("AWS_REGION"), BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL")),
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), "")})
	bucket := aws.String(os.Getenv("MEDIA_BUCKET"))
	list, err := store.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
	if err != nil {
		return err
	}
	file, err := os.Create("objects.tar.gz")
	if err != nil {
		return err
	}
	packed := gzip.NewWriter(file)
	out := tar.NewWriter(packed)
	for _, o := range list.Contents {
		if strings.HasPrefix(*o.Key, "exports/") {
			continue // files for download, made anew each hour
		}
		got, err := store.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: o.Key})
		if err != nil {
			return err
		}
		head := &tar.Header{Name: *o.Key, Mode: 0o644, Size: *got.ContentLength}
		if err := out.WriteHeader(head); err != nil {
			return err
		}
		if _, err := io.Copy(out, got.Body); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	if err := packed.Close(); err != nil {
		return err
	}
	return file.Close()
}
