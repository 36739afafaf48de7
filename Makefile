# The commands that the documents name; each is one call of ./everything.
.PHONY: up down status logs test test-integration lint build build-all bench demo clean k8s-dev tag

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
k8s-dev:
	./everything k8s-dev
tag:
	./everything tag $(v)
