package settings

// Writes are the bad manners of a data plane's API around writes; the zero value has none. Which of them a real API has is unknown (facts:
// patch-semantics): remedies must see each.
type Writes struct {
	// StaleReads is how many readings of an object after a write still show it as it was before; StaleMS is for how many milliseconds.
	StaleReads int `json:"stale_reads,omitempty"`
	StaleMS    int `json:"stale_ms,omitempty"`
	// RevertAfterReads takes a write back after so many readings of the object.
	RevertAfterReads int `json:"revert_after_reads,omitempty"`
	// Echo refuses every PATCH with an error that quotes its body and the stored value.
	Echo bool `json:"echo,omitempty"`
	// NoSecretUpdatedAt leaves the date of the stored value out of every answer; NoPreview its preview.
	NoSecretUpdatedAt bool `json:"no_secret_updated_at,omitempty"`
	NoPreview         bool `json:"no_preview,omitempty"`
	// PatchMovesSecretUpdatedAt gives the stored value a new date with every PATCH.
	PatchMovesSecretUpdatedAt bool `json:"patch_moves_secret_updated_at,omitempty"`
	// RoundNumbers stores the numbers of metadata as doubles.
	RoundNumbers bool `json:"round_numbers,omitempty"`
	// PutLosesValue drops the stored value of an ai_secret over a PUT that leaves it out.
	PutLosesValue bool `json:"put_loses_value,omitempty"`
}
