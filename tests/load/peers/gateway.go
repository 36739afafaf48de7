// A bare grpc-gateway over our own protos: what ours is measured against. It transcodes and
// forwards, and checks, limits, logs and signs nothing; callers bring their x-identity along.
//
//	gateway LISTEN BACKEND
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	menu "everything/bench/coffee/menu/v1"
	order "everything/bench/coffee/order/v1"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	mux := runtime.NewServeMux()
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	ctx := context.Background()
	if err := menu.RegisterMenuServiceHandlerFromEndpoint(ctx, mux, os.Args[2], options); err != nil {
		log.Fatal(err)
	}
	if err := order.RegisterOrderServiceHandlerFromEndpoint(ctx, mux, os.Args[2], options); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(os.Args[1], mux))
}
