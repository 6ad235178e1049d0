// Command fake stands in for planeproof in the tests of the docker target: it takes the same arguments.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	system := os.Args[2]
	flags := flag.NewFlagSet("fake", flag.ExitOnError)
	addr := flags.String("addr", "", "")
	control := flags.String("control", "", "")
	lease := flags.Duration("lease", 0, "")
	dial := map[string]bool{}
	flags.Func("dial", "", func(address string) error { dial[address] = true; return nil })
	_ = flags.Parse(os.Args[3:])
	fmt.Println("fake", system, "lease", *lease)
	if salt != "" {
		fmt.Println(salt)
	}
	if fails == system {
		fmt.Fprintln(os.Stderr, "no such luck")
		os.Exit(7)
	}

	ctl := http.NewServeMux()
	ctl.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, system+"\n") })
	ctl.HandleFunc("POST /end", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
	if hangs != system {
		go serve(*control, ctl)
	}

	data := http.NewServeMux()
	data.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "pong from "+system) })
	data.HandleFunc("GET /dial/{address}", func(w http.ResponseWriter, r *http.Request) {
		address := r.PathValue("address")
		if !dial[address] {
			http.Error(w, "not given", http.StatusForbidden)
			return
		}
		conn, err := net.Dial("tcp", address)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_ = conn.Close()
	})
	data.HandleFunc("GET /write", func(w http.ResponseWriter, _ *http.Request) {
		if err := os.WriteFile("/x", nil, 0o600); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
		}
	})
	serve(*addr, data)
}

// fails and hangs name the system that ends at once, or never becomes ready; salt makes another program; all set at link time.
var fails, hangs, salt string

func serve(address string, handler http.Handler) {
	fmt.Fprintln(os.Stderr, http.ListenAndServe(address, handler))
	os.Exit(1)
}
