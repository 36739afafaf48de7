# The commands that the documents name; each is one call of ./everything.
.PHONY: up down status logs test test-integration lint build build-all bench demo clean tag

up:
	./everything up
down:
	./everything down
status:
	./everything status
logs:
	./everything logs -f
test:
	./everything test
test-integration:
	./everything test integration
lint:
	./everything lint
build build-all:
	./everything build
bench:
	./everything bench
demo:
	./everything demo
clean:
	./everything clean
tag:
	./everything tag $(v)
