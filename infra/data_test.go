package main

import (
	"fmt"
	"slices"
	"testing"
)

// What the runbook tells people to look at is there: the log of the cluster with slow statements, and insights. The log has no
// arguments and no values of rows.
func TestTheDatabaseCanBeLookedAt(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	w := all["managed"]
	clusters := w.OfType("AWS::RDS::DBCluster")
	if len(clusters) != 1 {
		t.Fatalf("%d clusters", len(clusters))
	}
	c := clusters[0]
	if got := w.Texts(c.Stack, c.Properties["EnableCloudwatchLogsExports"]); !slices.Equal(got, []string{"postgresql"}) {
		t.Errorf("exports the logs %v", got)
	}
	if c.Properties["PerformanceInsightsEnabled"] != true || c.Properties["DatabaseInsightsMode"] != "standard" {
		t.Errorf("insights: %v, %v", c.Properties["PerformanceInsightsEnabled"], c.Properties["DatabaseInsightsMode"])
	}
	parameters, _ := w.OfType("AWS::RDS::DBClusterParameterGroup")[0].Properties["Parameters"].(map[string]any)
	for name, want := range map[string]string{"rds.force_ssl": "1", "log_min_duration_statement": "1000", "log_parameter_max_length": "0",
		"log_error_verbosity": "terse", "idle_session_timeout": "300000"} {
		if got := fmt.Sprint(parameters[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if c.Properties["DBClusterParameterGroupName"] == nil {
		t.Error("the cluster does not use the parameters")
	}
}
