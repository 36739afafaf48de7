module everything/tests/fakes/apns

go 1.21
