// A stand-in for Apple's push service, on nothing but Go's standard library: HTTP/2 over TLS, a
// check of each thing that Apple checks, and a record of every push as a line of JSON. What comes
// to /web/... gets the programmed answer unchecked: a browser's push service.
//
//	apns -dir DIR [-port N] [-control N] [-key PUBLIC.pem -kid KID -team TEAM -topic TOPIC]
//
// DIR gets ca.pem (what a client must trust) with its key, kept if they are there, pushes.jsonl, and
// ready ("PORT CONTROL_PORT") once it listens. On the control port (plain HTTP, loopback): POST
// /program with a JSON list of answers, GET /count, POST /reset.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// answer is what a test wants said instead of 200.
type answer struct {
	Token      string `json:"token"`  // "" is any
	Times      int    `json:"times"`  // how often; 0 is always
	Status     int    `json:"status"` // 0 is 200
	Reason     string `json:"reason"`
	RetryAfter int    `json:"retryAfter"` // seconds
	DelayMs    int    `json:"delayMs"`
	Goaway     bool   `json:"goaway"` // after this answer the connection takes no more streams
	Cut        bool   `json:"cut"`    // the connection is closed without an answer
	After      bool   `json:"after"`  // with cut: the push was taken, only the answer is lost
}

type server struct {
	rules   rules
	mu      sync.Mutex
	program []answer
	record  *os.File
	counts  map[string]int // by verdict: "ok", a reason, "cut"
	conns   int
}

func (s *server) next(token string) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.program {
		a := &s.program[i]
		if a.Token != "" && a.Token != token {
			continue
		}
		found := *a
		if a.Times == 1 {
			s.program = append(s.program[:i], s.program[i+1:]...)
		} else if a.Times > 1 {
			a.Times--
		}
		return found
	}
	return answer{}
}

func (s *server) note(verdict string, line map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[verdict]++
	line["verdict"] = verdict
	text, _ := json.Marshal(line)
	s.record.Write(append(text, '\n'))
}

func refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("content-type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"reason":%q}`, reason)
}

type connKey struct{}

func (s *server) push(w http.ResponseWriter, r *http.Request) {
	line, status, reason := s.rules.check(r)
	token, _ := line["token"].(string)
	if strings.HasPrefix(r.URL.Path, "/web/") {
		reason = "" // a push for a browser: answered by the program, not judged
	}
	if reason == "" {
		a := s.next(token)
		time.Sleep(time.Duration(a.DelayMs) * time.Millisecond)
		if a.Goaway {
			w.Header().Set("Connection", "close") // net/http says GOAWAY
		}
		if a.Cut {
			verdict := "cut"
			if a.After {
				verdict = "ok"
			}
			s.note(verdict, line)
			r.Context().Value(connKey{}).(net.Conn).Close()
			return
		}
		if a.RetryAfter > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(a.RetryAfter))
		}
		status, reason = a.Status, a.Reason
	}
	if id := r.Header.Get("apns-id"); id != "" {
		w.Header().Set("apns-id", id)
	}
	if reason != "" {
		s.note(reason, line)
		refuse(w, status, reason)
		return
	}
	s.note("ok", line)
}

func (s *server) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/program", func(w http.ResponseWriter, r *http.Request) {
		var program []answer
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&program); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.program = program
		s.mu.Unlock()
	})
	mux.HandleFunc("/count", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		json.NewEncoder(w).Encode(map[string]any{"counts": s.counts, "connections": s.conns})
	})
	mux.HandleFunc("/reset", func(http.ResponseWriter, *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.record.Truncate(0)
		s.counts, s.program, s.conns = map[string]int{}, nil, 0
		s.rules.forget()
	})
	return mux
}

// certificate takes the one of the last time: a client that has read it need not do so again.
func certificate(dir string) tls.Certificate {
	certFile, keyFile := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key")
	if kept, err := tls.LoadX509KeyPair(certFile, keyFile); err == nil {
		return kept
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fake apns"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	must(os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	must(os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func listen(port int) net.Listener {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	must(err)
	return listener
}

func main() {
	dir := flag.String("dir", "", "where its files go")
	port := flag.Int("port", 0, "port of the push service; 0: any")
	controlPort := flag.Int("control", 0, "port of the control; 0: any")
	keyFile := flag.String("key", "", "the provider's public key; without one signatures are not checked")
	var s server
	flag.StringVar(&s.rules.kid, "kid", "", "the key's id")
	flag.StringVar(&s.rules.team, "team", "", "who must have issued the provider token")
	flag.StringVar(&s.rules.topic, "topic", "", "the app's bundle id")
	flag.Parse()
	s.rules.loadKey(*keyFile)
	s.rules.seen = map[string]time.Time{}
	s.counts = map[string]int{}
	record, err := os.OpenFile(filepath.Join(*dir, "pushes.jsonl"),
		os.O_CREATE|os.O_APPEND|os.O_WRONLY|os.O_TRUNC, 0o644)
	must(err)
	s.record = record

	mux := http.NewServeMux()
	mux.HandleFunc("/3/device/", s.push)
	mux.HandleFunc("/web/", s.push)
	pushes, control := listen(*port), listen(*controlPort)
	web := &http.Server{
		Handler: mux,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate(*dir)},
			NextProtos: []string{"h2"}},
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				s.mu.Lock()
				s.conns++
				s.mu.Unlock()
			}
		},
		ErrorLog: log.New(os.Stderr, "", 0),
	}
	web.ConnContext = withConn
	go func() { must(http.Serve(control, s.control())) }()
	ready := fmt.Sprintf("%d %d\n", pushes.Addr().(*net.TCPAddr).Port, control.Addr().(*net.TCPAddr).Port)
	aside := filepath.Join(*dir, "ready.new")
	must(os.WriteFile(aside, []byte(ready), 0o644))
	must(os.Rename(aside, filepath.Join(*dir, "ready")))
	must(web.ServeTLS(pushes, "", ""))
}
