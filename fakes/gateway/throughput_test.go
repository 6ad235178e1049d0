package gateway_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// BenchmarkThroughput compares chat completions of the gateway, journal on at its default size, with a bare handler that checks a
// Bearer header and writes the same bytes. Both get the same requests from the same client, in turn, in rounds as long as a journal;
// a round begins with an empty one. The ratio is the gateway's requests per second over the bare handler's, the median of the rounds,
// as other work on the machine hits one and spares the next.
func BenchmarkThroughput(b *testing.B) {
	g := gateway.NewTenants()
	renew := func() {
		g.Control().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("DELETE", "/tenants/"+id, nil))
		if err := put(g, id, bearer()); err != nil {
			b.Fatal(err)
		}
	}
	renew()
	fake := httptest.NewServer(g)
	defer fake.Close()
	same, err := ask(fake.Client(), fake.URL)
	if err != nil {
		b.Fatal(err)
	}
	bare := httptest.NewServer(bareHandler(same))
	defer bare.Close()

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	var ratios, fakes, bares []float64
	for b.Loop() {
		renew()
		var perSecond [2]float64
		for i, server := range []*httptest.Server{fake, bare} {
			began := time.Now()
			if err := round(client, server.URL); err != nil {
				b.Fatal(err)
			}
			perSecond[i] = tenancy.JournalLimit / time.Since(began).Seconds()
		}
		fakes, bares = append(fakes, perSecond[0]), append(bares, perSecond[1])
		ratios = append(ratios, perSecond[0]/perSecond[1])
	}
	b.ReportMetric(median(fakes), "gateway-req/s")
	b.ReportMetric(median(bares), "bare-req/s")
	b.ReportMetric(median(ratios), "ratio")
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// BenchmarkMemory sends b.N requests to one tenant, 8 at a time, and tells what the heap holds after a tenth of them, when the journal
// has long been full, and at the end. Flat is a difference of about nothing. Run it with -benchtime 1000000x.
func BenchmarkMemory(b *testing.B) {
	g := gateway.NewTenants()
	if err := put(g, id, bearer()); err != nil {
		b.Fatal(err)
	}
	fake := httptest.NewServer(g)
	defer fake.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	send := func(requests int) uint64 {
		for range requests / (clients * perClient) {
			if err := round(client, fake.URL); err != nil {
				b.Fatal(err)
			}
		}
		return heap()
	}
	tenth := send(b.N / 10)
	b.ReportMetric(float64(tenth)/(1<<20), "MiB-after-a-tenth")
	b.ReportMetric(float64(send(b.N-b.N/10))/(1<<20), "MiB-at-the-end")
}

// heap is how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// TestMemoryOfATenantIsBounded is not parallel, as it measures the heap.
func TestMemoryOfATenantIsBounded(t *testing.T) {
	g := gateway.NewTenants()
	require.NoError(t, put(g, id, bearer()))
	send := func(rounds int) uint64 {
		for range rounds * tenancy.JournalLimit {
			r := httptest.NewRequest("POST", "/"+id+"/v1/chat/completions", strings.NewReader(prompt))
			r.Header.Set("Authorization", "Bearer "+token)
			g.ServeHTTP(httptest.NewRecorder(), r)
		}
		return heap()
	}
	full := send(2)
	assert.Less(t, send(20), full+512<<10, "20,480 more requests would be 2 MiB at 100 bytes each")
	runtime.KeepAlive(g)
}

// clients is how many connections send requests at the same time.
const clients = 8

// perClient is how many requests each of them sends in a round.
const perClient = tenancy.JournalLimit / clients

// bareHandler is the least that a gateway could do.
func bareHandler(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}
}

// round sends as many requests as a journal holds.
func round(client *http.Client, base string) error {
	var all sync.WaitGroup
	failed := make(chan error, clients)
	for range clients {
		all.Go(func() {
			for range perClient {
				if _, err := ask(client, base); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}

func ask(client *http.Client, base string) ([]byte, error) {
	r, err := http.NewRequest("POST", base+"/"+id+"/v1/chat/completions", strings.NewReader(prompt))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	var body bytes.Buffer
	_, err = body.ReadFrom(response.Body)
	return body.Bytes(), err
}
