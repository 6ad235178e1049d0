package scenarios

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"syscall"
	"time"

	"github.com/planeproof/planeproof/target"
)

// TLS is a front of the gateway whose certificate is of a private authority, served on loopback by the harness itself.
type TLS struct {
	// URL is the gateway's base behind the front.
	URL string
	// Authority is the only one that vouches for it.
	Authority *x509.CertPool

	address string
	server  *http.Server
	world   *World
}

// FrontWithTLS puts the gateway behind TLS until the World is closed.
func (w *World) FrontWithTLS(ctx context.Context) error {
	certificate, authority, err := privateCertificate()
	if err != nil {
		return fmt.Errorf("make certificate: %w", err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for TLS: %w", err)
	}
	to, err := url.Parse(w.reach.Upstream)
	if err != nil {
		return fmt.Errorf("read gateway URL: %w", err)
	}
	quiet := log.New(io.Discard, "", 0) // a client that does not know the authority is the point
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet,
		Handler: &httputil.ReverseProxy{
			Transport: &settling{world: w, need: []target.System{target.Gateway}, next: w.reach.Client.Transport}, ErrorLog: quiet,
			Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to) },
		},
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
	}
	go func() { _ = server.ServeTLS(listener, "", "") }() // ends with Close
	address := listener.Addr().String()
	w.TLS = &TLS{URL: "https://" + address, Authority: authority, address: address, server: server, world: w}
	return nil
}

// Client reaches the front and nothing else. It knows no authority but the given ones.
func (t *TLS) Client(known *x509.CertPool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				var d net.Dialer
				conn, err := d.DialContext(ctx, network, t.address)
				if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
					t.world.breakDown(err) // this process has no descriptor left, which tells nothing of a gateway
				}
				return conn, err
			},
			TLSClientConfig: &tls.Config{RootCAs: known},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// privateCertificate makes a certificate for 127.0.0.1 that is its own authority, valid for an hour.
func privateCertificate() (tls.Certificate, *x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "planeproof private authority"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, pool, nil
}
