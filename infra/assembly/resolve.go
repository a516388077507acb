package assembly

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Text returns the value v of a template as it is after a deploy. A part that is unknown before the deploy is written as
// "<stack/id.attribute>".
func (a *Assembly) Text(stack string, v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case map[string]any:
		return a.intrinsic(stack, v)
	case nil:
		return ""
	}
	return fmt.Sprintf("<%T>", v)
}

// Texts is Text for a single value or a list.
func (a *Assembly) Texts(stack string, v any) []string {
	list, ok := v.([]any)
	if !ok {
		return []string{a.Text(stack, v)}
	}
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = a.Text(stack, e)
	}
	return out
}

func (a *Assembly) intrinsic(stack string, m map[string]any) string {
	for name, v := range m { // an intrinsic has one member
		switch name {
		case "Ref":
			return a.ref(stack, fmt.Sprint(v))
		case "Fn::GetAtt":
			if att, ok := v.([]any); ok && len(att) == 2 {
				return a.attribute(stack, fmt.Sprint(att[0]), fmt.Sprint(att[1]))
			}
		case "Fn::Join":
			if args, ok := v.([]any); ok && len(args) == 2 {
				return strings.Join(a.Texts(stack, args[1]), fmt.Sprint(args[0]))
			}
		case "Fn::Sub":
			return a.substitute(stack, v)
		case "Fn::ImportValue":
			if e, ok := a.exports[a.Text(stack, v)]; ok {
				return a.Text(e.stack, e.value)
			}
		case "Fn::Select":
			if args, ok := v.([]any); ok && len(args) == 2 {
				index, err := strconv.Atoi(a.Text(stack, args[0]))
				if parts := a.list(stack, args[1]); err == nil && index >= 0 && index < len(parts) {
					return parts[index]
				}
			}
		}
	}
	return fmt.Sprintf("<%s: %v>", stack, m)
}

func (a *Assembly) list(stack string, v any) []string {
	if m, ok := v.(map[string]any); ok {
		if args, ok := m["Fn::Split"].([]any); ok && len(args) == 2 {
			return strings.Split(a.Text(stack, args[1]), fmt.Sprint(args[0]))
		}
		if _, ok := m["Fn::GetAZs"]; ok {
			return []string{a.world.Region + "a", a.world.Region + "b", a.world.Region + "c"}
		}
	}
	return a.Texts(stack, v)
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)

func (a *Assembly) substitute(stack string, v any) string {
	text, ok := v.(string)
	if !ok {
		return fmt.Sprintf("<%s: Fn::Sub>", stack)
	}
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := p[2 : len(p)-1]
		if id, att, ok := strings.Cut(name, "."); ok {
			return a.attribute(stack, id, att)
		}
		return a.ref(stack, name)
	})
}

func (a *Assembly) ref(stack, name string) string {
	switch name {
	case "AWS::Region":
		return a.world.Region
	case "AWS::AccountId":
		return a.world.Account
	case "AWS::Partition":
		return "aws"
	case "AWS::URLSuffix":
		return "amazonaws.com"
	case "AWS::StackName":
		return stack
	case "AWS::NoValue":
		return ""
	}
	if p, ok := a.Templates[stack].Parameters[name]; ok {
		return fmt.Sprint(p.Default)
	}
	return a.attribute(stack, name, "Ref")
}

var storedParameter = regexp.MustCompile(`\{\{resolve:ssm:([^:}]+)\}\}`)

// stored replaces each reference to a parameter of Systems Manager by the value that a template gives it.
func (a *Assembly) stored(text string) string {
	return storedParameter.ReplaceAllStringFunc(text, func(reference string) string {
		name := storedParameter.FindStringSubmatch(reference)[1]
		for _, p := range a.OfType("AWS::SSM::Parameter") {
			if a.Text(p.Stack, p.Properties["Name"]) == name {
				return a.Text(p.Stack, p.Properties["Value"])
			}
		}
		return "<parameter " + name + ">"
	})
}

// attribute returns the value from World, else the value that follows from the properties of the resource.
func (a *Assembly) attribute(stack, id, name string) string {
	if v, ok := a.world.Attributes[stack+"/"+id][name]; ok {
		return v
	}
	r := a.Templates[stack].Resources[id]
	if v, ok := a.derived(stack, id, r, name); ok {
		return v
	}
	return "<" + stack + "/" + id + "." + name + ">"
}

func (a *Assembly) derived(stack, id string, r Resource, name string) (string, bool) {
	arn := func(service, rest string) string {
		return "arn:aws:" + service + ":" + a.world.Region + ":" + a.world.Account + ":" + rest
	}
	own := func(property string) string { return a.Text(stack, r.Properties[property]) }
	switch r.Type + " " + name {
	case "AWS::SQS::Queue Arn":
		return arn("sqs", own("QueueName")), true
	case "AWS::SQS::Queue Ref":
		return "https://sqs." + a.world.Region + ".amazonaws.com/" + a.world.Account + "/" + own("QueueName"), true
	case "AWS::SQS::Queue QueueName":
		return own("QueueName"), true
	case "AWS::Lambda::Function Ref":
		return own("FunctionName"), true
	case "AWS::Lambda::Function Arn":
		return arn("lambda", "function:"+own("FunctionName")), true
	case "AWS::Lambda::Version Ref":
		return arn("lambda", "function:"+own("FunctionName")+":1"), true
	case "AWS::Lambda::Alias Ref":
		return arn("lambda", "function:"+own("FunctionName")+":"+own("Name")), true
	case "AWS::S3::Bucket Ref":
		return bucketName(stack, id), true
	case "AWS::S3::Bucket Arn":
		return "arn:aws:s3:::" + bucketName(stack, id), true
	case "AWS::Logs::LogGroup Arn":
		return arn("logs", "log-group:"+own("LogGroupName")+":*"), true
	case "AWS::Logs::LogGroup Ref":
		return own("LogGroupName"), true
	case "AWS::KMS::Key Arn":
		return arn("kms", "key/"+id), true
	case "AWS::KMS::Key Ref":
		return id, true
	case "AWS::SNS::Topic Ref":
		return arn("sns", own("TopicName")), true
	case "AWS::SecretsManager::Secret Ref":
		return arn("secretsmanager", "secret:"+own("Name")+"-ABCDEF"), true
	case "AWS::SecretsManager::SecretTargetAttachment Ref":
		return a.Text(stack, r.Properties["SecretId"]), true
	case "AWS::RDS::DBCluster Endpoint.Address", "AWS::ElastiCache::ServerlessCache Endpoint.Address":
		return strings.ToLower(id) + ".invalid", true // only a deploy knows it
	case "AWS::ElastiCache::ServerlessCache Endpoint.Port":
		return "6379", true
	case "Custom::Key PublicKey":
		return `{"kid":"` + own("KeyId") + `"}`, true
	case "AWS::IAM::Role Arn":
		if name := own("RoleName"); name != "" {
			id = name
		}
		return "arn:aws:iam::" + a.world.Account + ":role/" + id, true
	case "AWS::IAM::Role Ref":
		return id, true
	case "AWS::Events::Rule Arn":
		return arn("events", "rule/"+own("Name")), true
	}
	return "", false
}

func bucketName(stack, id string) string { return strings.ToLower(stack + "-" + id) }
