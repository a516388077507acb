// Command lambda runs the staff function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(staff.Open) }
