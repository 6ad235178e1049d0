package fix

import (
	"net/url"
	"slices"

	"github.com/planeproof/planeproof/remedy/control"
)

// hide tells the client what in metadata may be a credential, as servers quote what they refuse.
func hide(client *control.Client, metadata []byte) {
	keys, err := object(metadata)
	if err != nil {
		return
	}
	for key, value := range keys {
		switch {
		case slices.Contains([]string{"auth_format", "auth_type", "models", "customModels"}, key):
		case key == "api_base":
			hideInURL(client, value)
		default:
			hideTexts(client, value)
		}
	}
}

func hideTexts(client *control.Client, value any) {
	switch v := value.(type) {
	case string:
		client.Hide("metadata", v)
	case []any:
		for _, item := range v {
			hideTexts(client, item)
		}
	case map[string]any:
		for _, item := range v {
			hideTexts(client, item)
		}
	}
}

func hideInURL(client *control.Client, value any) {
	raw, isText := value.(string)
	if !isText {
		hideTexts(client, value)
		return
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" {
		client.Hide("api_base", raw)
		return
	}
	if u.User != nil {
		password, _ := u.User.Password()
		client.Hide("api_base", password)
		client.Hide("api_base", u.User.String())
	}
	client.Hide("api_base", u.RawQuery)
	for _, values := range u.Query() {
		for _, v := range values {
			client.Hide("api_base", v)
		}
	}
}
