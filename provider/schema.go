package provider

import (
	"encoding/json"
	"slices"
)

// Read says whether a proxy of that generation can read the raw secret object: it returns the parsed JSON with defaults
// filled in, or the issues of the union member that has the secret's type (facts: strict-schema; recorded: secret-schema).
// An unknown type, and anything that is no JSON object, is one invalid_union with an empty path.
func Read(g Generation, raw json.RawMessage) (parsed json.RawMessage, issues []Issue) {
	in, isObject := decode(raw).(*object)
	if !isObject {
		in = newObject()
	}
	return read(g, in)
}

func read(g Generation, in *object) (parsed json.RawMessage, issues []Issue) {
	typ, _ := in.get("type").(string)
	fields, ok := metadataFields(g, typ)
	if !ok {
		return nil, []Issue{{Code: CodeInvalidUnion, Message: "Invalid input"}}
	}
	metadata := objectOf(unknownIn(g, refuseUnknown), fields)
	if typ == "vertex" && g == Current202608 {
		// facts: vertex. What the federated member knows beside passes through as unknown keys do.
		federated := append(slices.Clone(fields), field{Current202608, "authType", literal("workload_identity_federation")})
		metadata = union(metadata, objectOf(keepUnknown, knownTo(g, federated)))
	}
	out, s := secretSchema(g, metadata)(check{issues: &issues}, in)
	if s != valid {
		return nil, issues
	}
	return encode(out), nil
}

// unknownIn says what a generation does with unknown keys: they pass through since 2026-08.
func unknownIn(g Generation, before unknownKeys) unknownKeys {
	if g == Current202608 {
		return keepUnknown
	}
	return before
}

// secretSchema is the object around the metadata: it was never strict, it only dropped what it did not know.
func secretSchema(g Generation, metadata rule) rule {
	return objectOf(unknownIn(g, dropUnknown), knownTo(g, []field{
		{Legacy202602, "id", nullish(uuid())},
		{Current202608, "org_id", nullish(text())},
		{Legacy202602, "org_name", nullish(text())},
		{Legacy202602, "name", nullish(text())},
		{Legacy202602, "secret", text()},
		{Current202608, "secret", nullable(text())},
		{Legacy202602, "metadata", nullish(metadata)},
		{Legacy202602, "type", text()},
	}))
}

// knownTo keeps the fields that the generation has, the latest of each name.
func knownTo(g Generation, fields []field) []field {
	var out []field
	for _, f := range fields {
		if !g.reaches(f.since) {
			continue
		}
		sameName := func(o field) bool { return o.name == f.name }
		if i := slices.IndexFunc(out, sameName); i >= 0 {
			out[i] = f
		} else {
			out = append(out, f)
		}
	}
	return out
}

// reaches says whether g is since or younger.
func (g Generation) reaches(since Generation) bool {
	return slices.Index(Generations(), g) >= slices.Index(Generations(), since)
}
