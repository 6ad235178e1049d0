package steps

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
)

// A Binder takes the phrases. expr is an anchored regular expression, do a method of Steps: a function that takes the Steps, a context,
// and a string or an int for each group, and returns an error.
type Binder interface {
	Given(expr, do any)
	When(expr, do any)
	Then(expr, do any)
}

// Bind hands every phrase to a Binder.
func Bind(b Binder) {
	bindDataPlane(b)
	bindGateway(b)
	bindSeen(b)
	bindSecret(b)
	bindUnchanged(b)
	bindScorer(b)
	bindProxy(b)
	bindLogs(b)
	bindGuide(b)
	bindToken(b)
	bindAPI(b)
	bindConcurrent(b)
	bindFix(b)
	bindAudit(b)
}

// Phrases are phrases whose expressions are compiled. They hold nothing of any scenario: which one is meant, the context says.
type Phrases struct{ all []phrase }

type phrase struct {
	kind string // Given, When or Then
	bind func(b Binder, expr, do any)
	expr *regexp.Regexp
	do   any
}

// Compile compiles what bind hands over.
func Compile(bind func(Binder)) *Phrases {
	var p Phrases
	bind(&p)
	return &p
}

// Given takes a phrase that prepares.
func (p *Phrases) Given(expr, do any) { p.add("Given", Binder.Given, expr, do) }

// When takes a phrase that does what the scenario is about.
func (p *Phrases) When(expr, do any) { p.add("When", Binder.When, expr, do) }

// Then takes a phrase that judges.
func (p *Phrases) Then(expr, do any) { p.add("Then", Binder.Then, expr, do) }

func (p *Phrases) add(kind string, bind func(Binder, any, any), expr, do any) {
	p.all = append(p.all, phrase{kind, bind, regexp.MustCompile(fmt.Sprint(expr)), late(do)})
}

// Bind hands the compiled phrases to a Binder such as *godog.ScenarioContext. Their functions take the Steps from the context.
func (p *Phrases) Bind(b Binder) {
	for _, one := range p.all {
		one.bind(b, one.expr, one.do)
	}
}

type stepsKey struct{}

// With returns a context in which phrases act on these Steps.
func (s *Steps) With(ctx context.Context) context.Context {
	return context.WithValue(ctx, stepsKey{}, s)
}

// late makes a function of (context, words…) of one of (Steps, context, words…), with the Steps that the context has when it is called.
func late(do any) any {
	method := reflect.ValueOf(do)
	var in []reflect.Type
	for i := 1; i < method.Type().NumIn(); i++ {
		in = append(in, method.Type().In(i))
	}
	kind := reflect.FuncOf(in, []reflect.Type{method.Type().Out(0)}, false)
	return reflect.MakeFunc(kind, func(args []reflect.Value) []reflect.Value {
		s := args[0].Interface().(context.Context).Value(stepsKey{})
		return method.Call(append([]reflect.Value{reflect.ValueOf(s)}, args...))
	}).Interface()
}
