// Command lambda runs the images worker, which makes renditions of uploaded pictures.
package main

import (
	"github.com/lafaekstreet/backend/functions/images"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Queue(images.Open) }
