package meta

// version is the version of the software, in the form of semver.org, as GET /health states it. The build sets it
// (infra/binary); a program that was built otherwise says 0.0.0-dev.
var version = "0.0.0-dev"
