package tenancy

// The addresses that systems have inside their network, whatever runs them.

// Address is host:port of a system's data port, ControlAddress of its control listener.
func Address(system string) string { return system + ":8080" }

// ControlAddress is host:port of a system's control listener.
func ControlAddress(system string) string { return system + ":8081" }

// URL is the base URL of a system's data port, below which tenants lie.
func URL(system string) string { return "http://" + Address(system) }

// LegacyProxyBase is where a data plane on v1 passes calls on to.
const LegacyProxyBase = "http://legacy-proxy:8080/{tenant}/v1"

// ClosedURL is a base URL behind which nothing listens.
const ClosedURL = "http://closed:8080"

// ClosedRoute begins routes with the address behind ClosedURL: port 1 of loopback, which no service has used since TCPMUX (RFC 1078)
// went out of use.
func ClosedRoute() Routes { return Routes{"closed:8080": "127.0.0.1:1"} }
