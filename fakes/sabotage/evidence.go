package sabotage

import (
	"net"
	"net/http"
	"slices"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/tenancy"
)

// faults are gateways that do not misbehave as they are told to.
func faults() []Sabotage {
	told := func(edit func(*tenancy.Fault)) func() onGateway {
		return func() onGateway {
			return onGateway{Faults: func(all []tenancy.Fault) []tenancy.Fault {
				all = slices.Clone(all)
				for i := range all {
					edit(&all[i])
				}
				return all
			}}
		}
	}
	return []Sabotage{
		{Name: "gateway-well-behaved", Says: "the gateway answers as usual where it should show a login page, redirect or be busy", gateway: func() onGateway {
			return onGateway{Faults: func([]tenancy.Fault) []tenancy.Fault { return []tenancy.Fault{} }}
		}},
		{Name: "gateway-refuses-instead", Says: "the gateway answers 401 where it should show a login page, redirect or be busy", gateway: told(func(f *tenancy.Fault) {
			if f.Status != 0 {
				f.Status, f.Header = http.StatusUnauthorized, nil
			}
		})},
		{Name: "gateway-busy-without-retry-after", Says: "the gateway that is busy does not say when to try again", gateway: told(func(f *tenancy.Fault) { f.Header = nil })},
		{Name: "gateway-busy-once-more", Says: "the gateway that is busy once stays busy", gateway: told(func(f *tenancy.Fault) {
			if f.Times > 0 {
				f.Times = 100
			}
		})},
		{Name: "gateway-busy-once-only", Says: "the gateway that stays busy is so once", gateway: told(func(f *tenancy.Fault) {
			if f.Times == 0 && f.Status != 0 {
				f.Times = 1
			}
		})},
		{Name: "gateway-hangs-up", Says: "the gateway closes the connection where it should be busy", gateway: told(func(f *tenancy.Fault) {
			if f.Status == http.StatusTooManyRequests || f.Status == http.StatusServiceUnavailable {
				*f = tenancy.Fault{Path: f.Path, Method: f.Method, Times: f.Times, Status: http.StatusBadGateway}
			}
		})},
		{Name: "gateway-speaks", Says: "the gateway answers 401 where it should give no answer", gateway: told(func(f *tenancy.Fault) {
			if f.Hang {
				*f = tenancy.Fault{Path: f.Path, Method: f.Method, Times: f.Times, Status: http.StatusUnauthorized}
			}
		})},
		{Name: "gateway-speaks-on-v1", Says: "the gateway gives no answer on /models alone", gateway: told(func(f *tenancy.Fault) {
			if f.Hang {
				f.Path = "/models"
			}
		})},
		{Name: "gateway-login-page-on-models", Says: "the gateway shows its login page or redirects on /models alone", gateway: told(func(f *tenancy.Fault) {
			if f.Status != 0 && f.Status < 400 {
				f.Path = "/models"
			}
		})},
		{Name: "gateway-login-page-on-v1-models", Says: "the gateway shows its login page or redirects on /v1/models alone", gateway: told(func(f *tenancy.Fault) {
			if f.Status != 0 && f.Status < 400 {
				f.Path = "/v1/models"
			}
		})},
	}
}

// wires are a network in which addresses lead elsewhere.
func wires() []Sabotage {
	lead := func(address string) func(tenancy.Routes) {
		return func(r tenancy.Routes) { r[address] = r[tenancy.Address("gateway")] }
	}
	return []Sabotage{
		{Name: "network-closed-port-answers", Says: "the gateway answers at the address where nothing should listen", network: lead("closed:8080")},
		{Name: "network-any-name-resolves", Says: "a name that nobody has leads to the gateway", network: lead(net.JoinHostPort("no-such-gateway.invalid", "80"))},
	}
}

// journals are systems that do not tell what they received.
func journals() []Sabotage {
	kept := func(change func(*tenancy.Evidence)) func() onGateway {
		return func() onGateway { return onGateway{Kept: change} }
	}
	each := func(change func(*evidence.Exchange)) func() onGateway {
		return kept(func(e *tenancy.Evidence) {
			for i := range e.Journal.Entries {
				entry := &e.Journal.Entries[i]
				entry.Credentials = slices.Clone(entry.Credentials)
				change(entry)
			}
		})
	}
	return []Sabotage{
		{Name: "journal-empty", Says: "the gateway's journal is empty", gateway: kept(func(e *tenancy.Evidence) { e.Journal.Entries = nil })},
		{Name: "journal-of-another-tenant", Says: "the gateway's journal is another tenant's", gateway: each(func(x *evidence.Exchange) {
			x.Nonce = ""
			for i := range x.Credentials {
				x.Credentials[i].Fingerprint, x.Credentials[i].LastWord = "000000000000", "000000000000"
			}
		})},
		{Name: "journal-other-token", Says: "the gateway's journal tells of another token", gateway: each(func(x *evidence.Exchange) {
			for i := range x.Credentials {
				x.Credentials[i].Fingerprint, x.Credentials[i].LastWord = "000000000000", "000000000000"
			}
		})},
		{Name: "journal-other-header", Says: "the gateway's journal tells of another header", gateway: each(func(x *evidence.Exchange) {
			for i := range x.Credentials {
				x.Credentials[i].Header, x.Credentials[i].Scheme = "api-key", ""
			}
		})},
		{Name: "journal-two-credentials", Says: "the gateway's journal tells of each credential twice", gateway: each(func(x *evidence.Exchange) {
			x.Credentials = append(x.Credentials, x.Credentials...)
		})},
		{Name: "journal-no-credentials", Says: "the gateway's journal tells of no credential", gateway: each(func(x *evidence.Exchange) { x.Credentials = nil })},
		{Name: "journal-other-paths", Says: "the gateway's journal tells of another path", gateway: each(func(x *evidence.Exchange) { x.Path = "/elsewhere" })},
		{Name: "journal-without-notes", Says: "the gateway's journal does not tell why a request was refused", gateway: each(func(x *evidence.Exchange) { x.Note = "" })},
		{Name: "journal-without-streams", Says: "the gateway's journal does not tell of streams", gateway: each(func(x *evidence.Exchange) { x.Stream = nil })},
		{Name: "journal-only-accepted", Says: "the gateway's journal keeps accepted requests alone", gateway: kept(func(e *tenancy.Evidence) {
			e.Journal.Entries = slices.DeleteFunc(e.Journal.Entries, func(x evidence.Exchange) bool { return x.Status >= 400 })
		})},
		{Name: "journal-phantom-request", Says: "the gateway's journal tells of a request that nobody sent", gateway: kept(func(e *tenancy.Evidence) {
			e.Journal.Entries = append(e.Journal.Entries, evidence.Exchange{System: "gateway", Seq: len(e.Journal.Entries) + 1, Method: "GET", Path: "/models", Status: 401})
		})},
		{Name: "journal-first-request-only", Says: "the gateway's journal ends after the first request", gateway: kept(func(e *tenancy.Evidence) {
			e.Journal.Entries = e.Journal.Entries[:min(1, len(e.Journal.Entries))]
		})},
	}
}
