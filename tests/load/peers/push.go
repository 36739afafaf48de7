// What our APNs client is measured against: the same pushes by Go's own HTTP/2 client, as many at
// once, on one connection.
//
//	push URL CA_FILE COUNT
//
// Sends one push that connects and is not counted, then COUNT, and says what they cost this process.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	atOnce  = 100
	device  = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	payload = `{"aps":{"alert":{"title":"Ready","body":"Flat White"}}}`
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func providerToken() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	text := base64.RawURLEncoding
	head := text.EncodeToString([]byte(`{"alg":"ES256","kid":"KEY1234567"}`))
	claims := text.EncodeToString([]byte(fmt.Sprintf(`{"iss":"TEAM123456","iat":%d}`, time.Now().Unix())))
	digest := sha256.Sum256([]byte(head + "." + claims))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	must(err)
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return head + "." + claims + "." + text.EncodeToString(signature)
}

func push(client *http.Client, url, authorization string, number int) {
	request, err := http.NewRequest(http.MethodPost, url+"/3/device/"+device, bytes.NewReader([]byte(payload)))
	must(err)
	id := fmt.Sprintf("019aa1f0-5c3e-7000-8000-%012d", number)
	for name, value := range map[string]string{
		"authorization": authorization, "apns-push-type": "alert", "apns-topic": "org.example.coffee",
		"apns-expiration": strconv.FormatInt(time.Now().Unix()+3600, 10), "apns-id": id,
		"apns-collapse-id": id, "content-type": "application/json",
	} {
		request.Header.Set(name, value)
	}
	answer, err := client.Do(request)
	must(err)
	said, err := io.ReadAll(answer.Body)
	must(err)
	must(answer.Body.Close())
	if answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2 {
		log.Fatalf("%s over %s: %s", answer.Status, answer.Proto, said)
	}
}

func cpu() time.Duration {
	var used syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func main() {
	url := os.Args[1]
	count, err := strconv.Atoi(os.Args[3])
	must(err)
	pem, err := os.ReadFile(os.Args[2])
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, MaxConnsPerHost: 1}}
	authorization := "bearer " + providerToken()
	push(client, url, authorization, count)

	var senders sync.WaitGroup
	numbers := make(chan int, count)
	for number := 0; number < count; number++ {
		numbers <- number
	}
	close(numbers)
	from := cpu()
	for i := 0; i < atOnce; i++ {
		senders.Add(1)
		go func() {
			defer senders.Done()
			for number := range numbers {
				push(client, url, authorization, number)
			}
		}()
	}
	senders.Wait()
	fmt.Printf("%.1f us CPU a push\n", float64((cpu()-from).Microseconds())/float64(count))
}
