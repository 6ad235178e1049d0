package provider

import (
	"fmt"
	"slices"
)

// Raising returns the generations that raise every one of the issues, as Narrow leaves them, on a secret of the type that is as wrong
// as they say; none where the issues do not tell. A generation may raise more: that secret has only what the issues speak of.
func Raising(issues []Issue, typ string) []Generation {
	secret := newObject()
	secret.set("secret", "x")
	secret.set("metadata", newObject())
	secret.set("type", typ)
	for _, i := range issues {
		for _, key := range i.Keys {
			put(secret, append(slices.Clone(i.Path), key), "x")
		}
		if len(i.Path) == 0 || i.Code == CodeUnrecognizedKeys {
			continue // the type is not known, or the keys are there
		}
		value, known := wrong(i)
		if !known {
			return nil
		}
		put(secret, i.Path, value)
	}
	return slices.DeleteFunc(Generations(), func(g Generation) bool {
		_, raised := read(g, secret)
		raised, _ = Narrow(raised)
		misses := func(i Issue) bool {
			return !slices.ContainsFunc(raised, func(r Issue) bool {
				// with all that it needs, the secret would be refused by the one member of a union that it is meant for
				return slices.ContainsFunc(append(slices.Concat(r.Members...), r), i.same)
			})
		}
		return len(issues) == 0 || slices.ContainsFunc(issues, misses)
	})
}

// maxPlace bounds the arrays that a path asks for.
const maxPlace = 32

// put returns in with the value at the path.
func put(in any, path []any, value any) any {
	if len(path) == 0 {
		return value
	}
	if place, isPlace := path[0].(int); isPlace {
		place = min(max(place, 0), maxPlace)
		list, _ := in.([]any)
		list = append(list, make([]any, max(0, place+1-len(list)))...)
		list[place] = put(list[place], path[1:], value)
		return list
	}
	o, isObject := in.(*object)
	if !isObject {
		o = newObject()
	}
	key := fmt.Sprint(path[0])
	o.set(key, put(o.get(key), path[1:], value))
	return o
}

// same says whether two reports are of one issue: a union that no member of accepts says only that.
func (i Issue) same(o Issue) bool {
	return i.Code == o.Code && i.Where() == o.Where() && (i.Code == CodeInvalidUnion || i.Expected == o.Expected &&
		i.Received == o.Received && i.Validation == o.Validation && slices.Equal(i.Keys, o.Keys) && slices.Equal(i.Options, o.Options))
}

// wrong is a value that raises the issue, absent where it has to be missing; known is false where the issue does not tell.
func wrong(i Issue) (value any, known bool) {
	switch i.Code {
	case CodeInvalidEnum:
		return i.Received, true
	case CodeInvalidLiteral:
		value = decode([]byte(i.Received))
		return value, value != absent{}
	case CodeTooSmall:
		return "", true
	case CodeInvalidString:
		return "no url", true
	}
	for _, sample := range []any{absent{}, nil, "x", 1, true, []any{}, newObject()} {
		if typeName(sample) == i.ReceivedType() {
			return sample, true
		}
	}
	return nil, false
}
