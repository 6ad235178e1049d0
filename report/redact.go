package report

import (
	"reflect"

	"github.com/planeproof/planeproof/evidence"
)

// redacted returns a copy with every string redacted. It walks the types instead of naming their fields, so that a field
// added later cannot be forgotten.
func redacted[T Run | Scenario](original T, redact *evidence.Redactor) T {
	redactValue(reflect.ValueOf(&original).Elem(), redact)
	return original
}

// redactValue redacts in place; what a slice or map shares with the original is copied first. Pointers in evidence
// point to no strings.
func redactValue(v reflect.Value, redact *evidence.Redactor) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(redact.String(v.String()))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				redactValue(v.Field(i), redact)
			}
		}
	case reflect.Slice:
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		for i := range fresh.Len() {
			redactValue(fresh.Index(i), redact)
		}
		v.Set(fresh)
	case reflect.Map:
		fresh := reflect.MakeMapWithSize(v.Type(), v.Len())
		for entries := v.MapRange(); entries.Next(); {
			fresh.SetMapIndex(redactedCopy(entries.Key(), redact), redactedCopy(entries.Value(), redact))
		}
		v.Set(fresh)
	}
}

func redactedCopy(v reflect.Value, redact *evidence.Redactor) reflect.Value {
	fresh := reflect.New(v.Type()).Elem()
	fresh.Set(v)
	redactValue(fresh, redact)
	return fresh
}
