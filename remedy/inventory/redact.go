package inventory

import (
	"slices"

	"github.com/planeproof/planeproof/evidence"
)

// Redact returns the secret as it may be shown or saved: what may be a credential in its metadata, and the preview but for what a
// finding needs, are replaced by values of the same type, and their places are named. All else stays as it is, so that an audit says
// the same.
func (s Secret) Redact() Secret {
	metadata, places := evidence.RedactMetadata(s.Metadata)
	s.Metadata = metadata
	if shown := evidence.RedactPreview(s.Preview); shown != s.Preview {
		s.Preview = shown
		places = append(places, "preview")
	}
	s.Redacted = append(slices.Clone(s.Redacted), places...)
	return s
}
