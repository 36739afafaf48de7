package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// rules are Apple's, as its documentation states them: reason strings and statuses are its own.
type rules struct {
	key              *ecdsa.PublicKey
	kid, team, topic string
	mu               sync.Mutex
	seen             map[string]time.Time // provider tokens: when each was first used
	newest           time.Time
}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

func (u *rules) loadKey(path string) {
	if path == "" {
		return
	}
	text, err := os.ReadFile(path)
	must(err)
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	must(err)
	u.key = parsed.(*ecdsa.PublicKey)
}

var (
	deviceToken = regexp.MustCompile(`^[0-9a-f]{64,200}$`)
	uuid        = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	types       = map[string]string{"alert": "", "background": "", "liveactivity": ".push-type.liveactivity"}
)

func decode(part string, into any) bool {
	bytes, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(bytes, into) == nil
}

// provider looks at the JWT: ES256, the right key and team, from 0 to 60 minutes old, and not
// another one more often than every 20 minutes.
func (u *rules) provider(authorization string) (int, string) {
	text, isBearer := strings.CutPrefix(authorization, "bearer ")
	if !isBearer {
		return 403, "MissingProviderToken"
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, known := u.seen[text]; !known {
		if reason := u.verify(text); reason != "" {
			return 403, reason
		}
		if time.Since(u.newest) < 20*time.Minute {
			return 429, "TooManyProviderTokenUpdates"
		}
		u.newest = time.Now()
	}
	u.seen[text] = time.Now()
	return 0, ""
}

// forget lets another provider begin: each test has a client of its own.
func (u *rules) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.seen, u.newest = map[string]time.Time{}, time.Time{}
}

func (u *rules) verify(text string) string {
	var head struct{ Alg, Kid string }
	var claims struct {
		Iss string
		Iat int64
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 || !decode(parts[0], &head) || !decode(parts[1], &claims) ||
		head.Alg != "ES256" || head.Kid == "" || claims.Iss == "" || claims.Iat == 0 {
		return "InvalidProviderToken"
	}
	if (u.kid != "" && head.Kid != u.kid) || (u.team != "" && claims.Iss != u.team) {
		return "InvalidProviderToken"
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return "InvalidProviderToken"
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if u.key != nil && !ecdsa.Verify(u.key, digest[:], r, s) {
		return "InvalidProviderToken"
	}
	age := time.Since(time.Unix(claims.Iat, 0))
	if age > time.Hour || age < -time.Minute {
		return "ExpiredProviderToken"
	}
	return ""
}

// check gives the record of a push, and a status and reason when Apple would refuse it.
func (u *rules) check(r *http.Request) (map[string]any, int, string) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	line := map[string]any{"at": time.Now().UTC().Format(time.RFC3339Nano),
		"token": strings.TrimPrefix(r.URL.Path, "/3/device/"), "proto": r.Proto}
	for name, values := range r.Header {
		if strings.HasPrefix(name, "Apns-") {
			line[strings.ToLower(name)] = values[0]
		}
	}
	var payload map[string]any
	if json.Unmarshal(body, &payload) == nil {
		line["payload"] = payload
	}
	if err != nil || r.ProtoMajor != 2 || r.Method != http.MethodPost {
		return line, 405, "MethodNotAllowed"
	}
	if status, reason := u.provider(r.Header.Get("authorization")); reason != "" {
		return line, status, reason
	}
	status, reason := u.headers(r.Header, line["token"].(string))
	if reason == "" {
		status, reason = shape(r.Header.Get("apns-push-type"), r.Header.Get("apns-priority"), body, payload)
	}
	return line, status, reason
}

func (u *rules) headers(h http.Header, token string) (int, string) {
	kind := h.Get("apns-push-type")
	priority := h.Get("apns-priority")
	if priority == "" {
		priority = "10" // is what it is when nothing is said
	}
	suffix, known := types[kind]
	expiration, err := strconv.ParseInt(h.Get("apns-expiration"), 10, 64)
	switch {
	case !deviceToken.MatchString(token) || len(token)%2 != 0:
		return 400, "BadDeviceToken"
	case h.Get("apns-topic") == "":
		return 400, "MissingTopic"
	case !known:
		return 400, "InvalidPushType"
	case u.topic != "" && h.Get("apns-topic") != u.topic+suffix:
		return 400, "TopicDisallowed"
	case priority != "10" && priority != "5" && priority != "1":
		return 400, "BadPriority"
	case kind == "background" && priority == "10":
		return 400, "BadPriority"
	case err != nil || expiration < 0:
		return 400, "BadExpirationDate"
	case len(h.Get("apns-collapse-id")) > 64:
		return 400, "BadCollapseId"
	case !uuid.MatchString(h.Get("apns-id")):
		return 400, "BadMessageId"
	}
	return 0, ""
}

// shape looks at the payload: its size, and what each type must have in it.
func shape(kind, priority string, body []byte, payload map[string]any) (int, string) {
	if len(body) == 0 {
		return 400, "PayloadEmpty"
	}
	if len(body) > 4096 {
		return 413, "PayloadTooLarge"
	}
	aps, _ := payload["aps"].(map[string]any)
	good := aps != nil
	switch kind {
	case "alert":
		alert, _ := aps["alert"].(map[string]any)
		good = good && alert["title"] != nil && alert["body"] != nil
	case "background":
		good = good && aps["content-available"] == 1.0 && aps["alert"] == nil && priority == "5"
	case "liveactivity":
		good = good && liveActivity(aps)
	}
	if !good {
		return 400, "BadPayload"
	}
	return 0, ""
}

func liveActivity(aps map[string]any) bool {
	_, hasTime := aps["timestamp"].(float64)
	_, hasState := aps["content-state"].(map[string]any)
	switch aps["event"] {
	case "start":
		_, hasAttributes := aps["attributes"].(map[string]any)
		return hasTime && hasState && hasAttributes && aps["attributes-type"] != nil && aps["alert"] != nil
	case "update", "end":
		return hasTime && hasState
	}
	return false
}
