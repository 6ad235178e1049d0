package scenarios

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/settings"
)

// Shapes are the shapes of a credential as sentences name them. Bearer, which most are about, needs no header beside it.
func Shapes() map[string]provider.Shape {
	all := map[string]provider.Shape{}
	for _, shape := range provider.Shapes() {
		if shape != provider.ShapeNone {
			all[shape.Words()] = shape
		}
	}
	delete(all, provider.ShapeBearer.Words())
	all["Bearer"] = provider.ShapeBearer
	return all
}

// planeManners are what a data plane may do, in the words of a sentence, and the setting that makes it so. Which hold is not known of any
// data plane (facts: patch-semantics).
func planeManners() map[string]func(*settings.DataPlane) {
	all := map[string]func(*settings.DataPlane){
		"refuses an unknown project":                           func(d *settings.DataPlane) { d.UnknownProject = settings.UnknownProjectRefuse },
		"answers an unknown project with the org's credential": func(d *settings.DataPlane) { d.UnknownProject = settings.UnknownProjectOrganization },
		"ignores metadata in PATCH":                            func(d *settings.DataPlane) { d.Patch = settings.PatchIgnore },
		"merges metadata in PATCH":                             func(d *settings.DataPlane) { d.Patch = settings.PatchMerge },
		"wants a name in PATCH":                                func(d *settings.DataPlane) { d.PatchNeedsName = true },
		"has a console that cannot reach the gateway":          func(d *settings.DataPlane) { d.TestKey = settings.TestKeyCutOff },
	}
	for words, shape := range Shapes() {
		all["sends api_key as "+words] = func(d *settings.DataPlane) { d.APIKeyShape = shape }
	}
	return all
}

// PlaneManners are the words of all that a data plane may do.
func PlaneManners() []string { return slices.Sorted(maps.Keys(planeManners())) }

// PlaneThat makes the data plane do what the words of a manner say.
func (w *World) PlaneThat(manner string) error {
	set := planeManners()[manner]
	if set == nil {
		return fmt.Errorf("set data plane: none %s", manner)
	}
	set(&w.chosen(target.DataPlane).DataPlane)
	return nil
}

// gatewayManners are what an upstream may do, in the words of a sentence.
func gatewayManners() map[string]func(*settings.Gateway) {
	all := map[string]func(*settings.Gateway){
		"asks for no credential":     func(g *settings.Gateway) { g.Auth = provider.ShapeNone },
		"lists its models to anyone": func(g *settings.Gateway) { g.OpenModels = true },
	}
	for words, shape := range Shapes() {
		if shape != provider.ShapeBare {
			all["accepts only "+words+" tokens"] = func(g *settings.Gateway) { g.Auth = shape }
		}
	}
	return all
}

// behindTLS is the one manner that is no setting of the gateway: it gets a front.
const behindTLS = "is behind TLS of a private authority"

// GatewayManners are the words of all that a gateway may do.
func GatewayManners() []string {
	return append(slices.Sorted(maps.Keys(gatewayManners())), behindTLS)
}

// GatewayThat makes the gateway do what the words of a manner say.
func (w *World) GatewayThat(ctx context.Context, manner string) error {
	if manner == behindTLS {
		return w.FrontWithTLS(ctx)
	}
	set := gatewayManners()[manner]
	if set == nil {
		return fmt.Errorf("set gateway: none %s", manner)
	}
	set(&w.chosen(target.Gateway).Gateway)
	return nil
}
