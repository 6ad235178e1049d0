package platform_test

import (
	"context"
	"testing"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/process"
	"github.com/planeproof/planeproof/target/settings"
)

// deaf is a target whose data plane ignores every PATCH of metadata.
type deaf struct{ target.Target }

func (d deaf) Open(ctx context.Context, s target.Scenario) (target.Share, error) {
	share, err := d.Target.Open(ctx, s)
	return deafShare{share}, err
}

type deafShare struct{ target.Share }

func (d deafShare) Apply(ctx context.Context, to target.System, all settings.Settings) error {
	all.DataPlane.Patch = settings.PatchIgnore
	return d.Share.Apply(ctx, to, all)
}

// TestDeaf fails: the fix of BEARER-6 is accepted and not applied.
func TestDeaf(t *testing.T) {
	on, err := process.Start(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	conformance.RunT(t, conformance.Options{Target: deaf{on}, Tags: "@BEARER-6"})
}
