package main

// exception is a rule of cdk-nag that the templates break on purpose.
type exception struct {
	// resources are parts of the paths of the resources that may break the rule; empty for all.
	resources []string
	reason    string
}

// exceptions are by the id of the rule. What a rule asks for is in the documentation of cdk-nag ("RULES.md").
var exceptions = map[string]exception{
	"AwsSolutions-APIG4": {[]string{"-api/route-"}, "The functions decide who is calling, in each operation; infra/local/security tests every one. The gateway knows no accounts."},
	"AwsSolutions-CFR1":  {[]string{"-edge/distribution"}, "Riders and Timorese abroad read and report from everywhere."},
	"AwsSolutions-CFR3":  {[]string{"-edge/distribution"}, "Its log would hold the addresses of citizens. The access log of the API has each request without them."},
	"AwsSolutions-CFR4":  {[]string{"-edge/distribution"}, "Without a domain of its own a distribution has CloudFront's certificate, which allows no choice. With one it asks for TLS 1.2 (TestEdge)."},
	"AwsSolutions-EC23":  {[]string{"/vpc/NatSecurityGroup/"}, "The rule cannot read the range, which is that of the network itself (TestNobodyReachesTheNAT)."},
	"AwsSolutions-EC26":  {[]string{"/NatInstance/"}, "The disk has the operating system and swap alone. What passes through is encrypted by TLS."},
	"AwsSolutions-EC28":  {[]string{"/NatInstance/"}, "The alarms use the status checks, which come each minute in any case."},
	"AwsSolutions-EC29":  {[]string{"/NatInstance/"}, "It has no state, and a deploy with another image replaces it."},
	"AwsSolutions-IAM4":  {[]string{"/deployments-role/"}, "AWS's own policy for CodeDeploy with Lambda; AWS changes it together with CodeDeploy."},
	"AwsSolutions-IAM5":  {[]string{"-policy/Resource"}, "TestLeastPrivilege lists each pattern and each action without a resource, with its reason."},
	"AwsSolutions-RDS10": {[]string{"-data/database/"}, "A first deploy that fails must be removable. The setting protect switches the protection on (TestStateStaysWithItsProtection)."},
	"AwsSolutions-S1":    {[]string{"-storage/media/", "-storage/log/"}, "Functions alone reach the buckets, and each function logs what it does by request. CloudTrail can record data events where an operator wants them."},
	"AwsSolutions-SMG4":  {[]string{"-keys/", "-data/database/"}, "Keys have generations and change by settings without a gap; the runbook says how a password changes (\"Rotating keys\")."},
	"AwsSolutions-VPC7":  {[]string{"/vpc/"}, "Flow logs of functions show their calls of AWS alone, which CloudTrail has, and cost more than the network itself."},
}
