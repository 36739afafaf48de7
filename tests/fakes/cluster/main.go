// What a test needs of a cluster, in one program: `kubectl` is the real one, by that name; `cluster`
// stands in for the API server and the kubelet, far enough for `kubectl port-forward`.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"

	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
)

func main() {
	if filepath.Base(os.Args[0]) == "kubectl" {
		os.Exit(cli.Run(kubectl.NewDefaultKubectlCommand()))
	}
	address := flag.String("address", "127.0.0.1:0", "where kubectl finds us")
	pods := flag.String("pods", "127.0.0.1", "address that the processes of the pods listen on")
	ready := flag.String("ready", "", "file that our address is written to")
	flag.Parse()
	cluster, err := read(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(cluster.serve(*address, *pods, *ready))
}
