// A registry with the referrers API, for tests: the in-memory one of go-containerregistry, with TLS, basic and bearer
// authentication, and faults on demand.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

var (
	listen   = flag.String("listen", "127.0.0.1:0", "address")
	upstream = flag.String("upstream", "", "URL of a registry to stand in front of, instead of one in memory")
	cert     = flag.String("cert", "", "TLS certificate")
	key      = flag.String("key", "", "TLS key")
	basic    = flag.String("basic", "", "USER:PASSWORD that is demanded")
	bearer   = flag.String("bearer", "", "USER:PASSWORD for which a token is given, that is demanded")
	life     = flag.Int("life", 300, "seconds for which a token is good")
)

// A token, and when it ends.
var tokens sync.Map

func main() {
	flag.Parse()
	handler := registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0)))
	if *upstream != "" {
		to, err := url.Parse(*upstream)
		if err != nil {
			log.Fatal(err)
		}
		handler = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host; r.SetXForwarded() }}
	}
	handler = faulty(counted(authenticated(handler)))
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().String())
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	if *cert != "" {
		log.Fatal(server.ServeTLS(listener, *cert, *key))
	}
	log.Fatal(server.Serve(listener))
}

// counted answers at /requests how many requests came, and starts again from nothing.
func counted(next http.Handler) http.Handler {
	var mutex sync.Mutex
	var lines []string
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer func() {
			mutex.Unlock()
			if r.URL.Path != "/requests" {
				next.ServeHTTP(w, r)
			}
		}()
		if r.URL.Path == "/requests" {
			json.NewEncoder(w).Encode(lines)
			lines = nil
			return
		}
		lines = append(lines, r.Method+" "+r.URL.Path)
	})
}

func authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			give(w, r)
			return
		}
		switch {
		case *basic != "" && !has(r, *basic):
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		case *bearer != "" && !good(r):
			scheme := "http"
			if r.TLS != nil {
				scheme = "https"
			}
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s://%s/token",service="test"`, scheme, r.Host))
		default:
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
	})
}

func has(r *http.Request, pair string) bool {
	user, password, ok := r.BasicAuth()
	return ok && user+":"+password == pair
}

func good(r *http.Request) bool {
	end, ok := tokens.Load(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	return ok && time.Now().Before(end.(time.Time))
}

func give(w http.ResponseWriter, r *http.Request) {
	if !has(r, *bearer) {
		http.Error(w, `{"errors":[{"code":"DENIED","message":"who are you?"}]}`, http.StatusUnauthorized)
		return
	}
	bytes := make([]byte, 16)
	rand.Read(bytes)
	token := hex.EncodeToString(bytes)
	tokens.Store(token, time.Now().Add(time.Duration(*life)*time.Second))
	json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": *life})
}

// faulty does to one request what it was told to at /fault?KIND:N: to the Nth from then on.
func faulty(next http.Handler) http.Handler {
	var mutex sync.Mutex
	var kind string
	var at, count int
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		if r.URL.Path == "/fault" {
			name, number, _ := strings.Cut(r.URL.RawQuery, ":")
			kind, at, count = name, 0, 0
			fmt.Sscan(number, &at)
			mutex.Unlock()
			return
		}
		count++
		now := ""
		if count == at {
			now = kind
		}
		mutex.Unlock()
		damage(next, now, w, r)
	})
}

func damage(next http.Handler, kind string, w http.ResponseWriter, r *http.Request) {
	var status int
	switch n, _ := fmt.Sscanf(kind, "status-%d", &status); {
	case n == 1:
		w.Header().Set("Retry-After", "0")
		http.Error(w, "a fault", status)
	case kind == "":
		next.ServeHTTP(w, r)
	case kind == "cut":
		panic(http.ErrAbortHandler)
	default:
		answer := &recorded{header: http.Header{}, status: 200}
		next.ServeHTTP(answer, r)
		answer.send(w, kind)
	}
}

// recorded keeps an answer, to damage it.
type recorded struct {
	header http.Header
	status int
	body   []byte
}

func (a *recorded) Header() http.Header    { return a.header }
func (a *recorded) WriteHeader(status int) { a.status = status }
func (a *recorded) Write(piece []byte) (int, error) {
	a.body = append(a.body, piece...)
	return len(piece), nil
}

func (a *recorded) send(w http.ResponseWriter, kind string) {
	if kind == "cut-after" {
		panic(http.ErrAbortHandler)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	switch kind {
	case "other-body":
		for i := range a.body {
			a.body[i] ^= 1
		}
	case "longer":
		a.body = append(a.body, "   "...)
		w.Header().Del("Content-Length")
	case "other-digest":
		w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat("0", 64))
	case "truncate":
		w.Header().Set("Content-Length", fmt.Sprint(len(a.body)))
		w.WriteHeader(a.status)
		if len(a.body) > 0 {
			w.Write(a.body[:len(a.body)-1])
		}
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(a.status)
	w.Write(a.body)
}
