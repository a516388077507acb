package deployed

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/lafaekstreet/backend/infra/runtimeapi"
)

// lambdaPath begins the paths of Lambda's own API.
const lambdaPath = "/2015-03-31/functions/"

// needsOfLambda reads "<ARN>/invocations" and "<ARN>/aliases/<name>".
func needsOfLambda(path string) ([]need, error) {
	arn, action, _ := strings.Cut(path, "/")
	if action == "invocations" {
		return []need{{"lambda:InvokeFunction", []string{arn}}}, nil
	}
	if alias, ok := strings.CutPrefix(action, "aliases/"); ok {
		return []need{{"lambda:GetAlias", []string{arn + ":" + alias}}}, nil
	}
	return nil, fmt.Errorf("calls %s of Lambda, which infra/deployed does not know", action)
}

// lambda answers calls of one function by another. There is no alias yet: this is the first deployment.
func (d *Deployment) lambda(w http.ResponseWriter, r *http.Request) {
	arn, action, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, lambdaPath), "/")
	f := d.byARN(arn)
	if action != "invocations" || f == nil {
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"Type":"User","Message":"Function not found: `+arn+`"}`) // the function may be gone
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, runtimeapi.MaxPayload))
	if err != nil {
		return // the caller has hung up
	}
	answer, err := f.Invoke(r.Context(), payload)
	var failed *runtimeapi.Error
	if errors.As(err, &failed) {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		answer = fmt.Appendf(nil, `{"errorType":%q,"errorMessage":%q}`, failed.Type, failed.Message)
	}
	w.Header().Set("X-Amz-Executed-Version", arn[strings.LastIndex(arn, ":")+1:])
	_, _ = w.Write(answer) // the function may be gone
}

// byARN returns the function with an ARN, which may end in a version. It is nil if there is none.
func (d *Deployment) byARN(arn string) *function {
	for key, f := range d.functions {
		stack, id, _ := strings.Cut(key, "/")
		own := d.assembly.Text(stack, map[string]any{"Fn::GetAtt": []any{id, "Arn"}})
		if arn == own || strings.HasPrefix(arn, own+":") {
			return f
		}
	}
	return nil
}
