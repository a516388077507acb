// Command lambda runs the images function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/images"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Queue(images.Open) }
