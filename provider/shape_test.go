package provider_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/provider"
)

func TestShapesHaveWordsOfTheirOwn(t *testing.T) {
	t.Parallel()
	for _, s := range provider.Shapes() {
		got, err := provider.ParseShape(s.Words())
		require.NoError(t, err)
		assert.Equal(t, s, got)
	}
	_, err := provider.ParseShape("another form")
	require.Error(t, err)
}

func TestShapeOfWhatWasSeen(t *testing.T) {
	t.Parallel()
	for seen, want := range map[[2]string]provider.Shape{
		{"authorization", "Bearer"}: provider.ShapeBearer, {"authorization", "bearer"}: provider.ShapeBearer,
		{"authorization", "Api-Key"}: provider.ShapeAPIKeyScheme, {"authorization", ""}: provider.ShapeBare,
		{"authorization", "Basic"}: "", {"api-key", ""}: provider.ShapeAPIKey, {"x-api-key", ""}: provider.ShapeXAPIKey,
		{"apikey", ""}: provider.ShapeApikey, {"cookie", ""}: "", {"bearer", ""}: "", {"none", ""}: "",
	} {
		assert.Equal(t, want, provider.ShapeOf(seen[0], seen[1]), seen)
	}
}
