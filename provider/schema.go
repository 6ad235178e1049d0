package provider

import (
	"encoding/json"
	"slices"
)

// Read says whether a proxy of that generation can read the raw secret object: it returns the parsed JSON with defaults
// filled in, or the issues of the union member that has the secret's type (facts: three generations; recorded: secret-schema).
// An unknown type, and anything that is no JSON object, is one invalid_union with an empty path.
func Read(g Generation, raw json.RawMessage) (parsed json.RawMessage, issues []Issue) {
	secret, ok := decode(raw)
	in, isObject := secret.(*object)
	if !ok || !isObject {
		return nil, []Issue{{Code: CodeInvalidUnion, Message: "Invalid input"}}
	}
	typ, _ := in.get("type").(string)
	fields, ok := metadataFields(g, typ)
	if !ok {
		return nil, []Issue{{Code: CodeInvalidUnion, Message: "Invalid input"}}
	}
	metadata := objectOf(metadataUnknown(g), fields)
	if typ == "vertex" && g == Current202608 {
		// The real union has a second member, for another way to authenticate, that no recorded secret satisfies. What shows of
		// it is that an aborted first member is reported as the union's failure.
		metadata = union(metadata)
	}
	out, s := secretSchema(g, metadata)(check{issues: &issues}, in)
	if s != valid {
		return nil, issues
	}
	return encode(out), nil
}

// metadataUnknown: strict until 2026-03, then unknown keys pass through.
func metadataUnknown(g Generation) unknownKeys {
	if g == Current202608 {
		return keepUnknown
	}
	return refuseUnknown
}

// secretSchema is the object around the metadata: it was never strict, it only dropped what it did not know.
func secretSchema(g Generation, metadata rule) rule {
	unknown := dropUnknown
	if g == Current202608 {
		unknown = keepUnknown
	}
	return objectOf(unknown, known(g, secretFields(metadata)))
}

// secretFields are the keys around the metadata.
func secretFields(metadata rule) []field {
	return []field{
		{Legacy202602, "id", nullish(uuid())},
		{Current202608, "org_id", nullish(text())},
		{Legacy202602, "org_name", nullish(text())},
		{Legacy202602, "name", nullish(text())},
		{Legacy202602, "secret", text()},
		{Current202608, "secret", nullable(text())},
		{Legacy202602, "metadata", nullish(metadata)},
		{Legacy202602, "type", text()},
	}
}

func isSecretField(name any) bool {
	return slices.ContainsFunc(secretFields(nil), func(f field) bool { return f.name == name })
}

// known keeps the fields that the generation has, the latest of each name.
func known(g Generation, fields []field) []field {
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
