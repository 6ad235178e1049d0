package tenancy

import "net/http"

// Tampering is how one tenant's system is broken on purpose. The zero value breaks nothing.
type Tampering[C any] struct {
	// Settings changes what the system is set to, each time that it is set.
	Settings func(*C)
	// Faults changes the system's faults.
	Faults func([]Fault) []Fault
	// Serve stands before the system and behind its journal.
	Serve func(http.Handler) http.Handler
	// Kept changes what is told of journal and log.
	Kept func(*Evidence)
}

// Tamper breaks the systems of the tenants that are made from now on; make is called once for each.
func (h *Host[C, F]) Tamper(make func() Tampering[C]) { h.tamper = make }

// tamperingOf returns what a tenant has, or for none what a new one gets.
func (h *Host[C, F]) tamperingOf(t *Tenant[F]) Tampering[C] {
	switch {
	case t != nil:
		with, _ := t.tamper.(Tampering[C])
		return with
	case h.tamper != nil:
		return h.tamper()
	}
	return Tampering[C]{}
}

func (t Tampering[C]) settle(config *C, faults []Fault) []Fault {
	if t.Settings != nil {
		t.Settings(config)
	}
	if t.Faults != nil && faults != nil {
		faults = t.Faults(faults)
	}
	return faults
}

func (t Tampering[C]) serve(system http.Handler) http.Handler {
	if t.Serve == nil {
		return system
	}
	return t.Serve(system)
}
