// What parts/temporal.sh builds. The CLI names the server and the UI it is made of: one graph of
// modules for all four programs, so that what they share is compiled once.
module everything.invalid/temporal

go 1.25.0

require (
	github.com/temporalio/cli v1.5.1
	github.com/temporalio/ui-server/v2 v2.42.1
	go.temporal.io/server v1.29.1
)
