package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/planeproof/planeproof/fakes/gateway"
)

// FuzzAuthorization: no value of Authorization gets in but the scheme in any case, blanks, and the token.
func FuzzAuthorization(f *testing.F) {
	for _, cases := range refusals() {
		for _, tt := range cases {
			for i := 1; i < len(tt.header); i += 2 {
				f.Add(tt.header[i])
			}
		}
	}
	f.Add("Bearer " + token)
	f.Add("bEARER   " + token + " ")
	f.Add("\xff\x00 Bearer")
	g := gateway.NewTenants()
	if err := put(g, id, bearer()); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/"+id+"/models", nil)
		r.Header["Authorization"] = []string{value}
		g.ServeHTTP(w, r)
		want := http.StatusUnauthorized
		if scheme, rest, _ := strings.Cut(strings.Trim(value, " "), " "); strings.EqualFold(scheme, "bearer") && strings.Trim(rest, " ") == token {
			want = http.StatusOK
		}
		if w.Code != want {
			t.Fatalf("%q: got %d, want %d", value, w.Code, want)
		}
	})
}

// FuzzChatBody: whatever the body, each endpoint that takes one answers with success, the same bytes each time, or with a 4xx in
// OpenAI's shape.
func FuzzChatBody(f *testing.F) {
	for _, body := range []string{
		prompt, ``, `null`, `[]`, `{"model":1}`, prompt[:20], `{"model":"acme-chat","messages":[{"role":"user","content":{}}]}`,
		`{"model":"acme-chat","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user"}]}`, "\xff\xfe",
		withTool(`[{"type":"function","function":{"name":"f","parameters":{"properties":{"a":{"enum":[1]}}}}}]`, `"required"`),
		`{"model":"acme-chat","input":"x","tools":[{"name":"f"}],"tool_choice":{"name":"f"},"stream":true}`,
		`{"model":"acme-chat","input":[[1,2],[3]],"dimensions":3,"encoding_format":"base64"}`,
	} {
		f.Add(body)
	}
	g := gateway.NewTenants()
	if err := put(g, id, bearer()); err != nil {
		f.Fatal(err)
	}
	send := func(path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/"+id+"/v1"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		g.ServeHTTP(w, r)
		return w
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/chat/completions", "/responses", "/embeddings"} {
			w := send(path, body)
			switch {
			case w.Code == http.StatusOK:
				if again := send(path, body).Body.String(); again != w.Body.String() {
					t.Fatalf("%s %q: answered %s, then %s", path, body, w.Body, again)
				}
			case w.Code >= 400 && w.Code < 500:
				answer{w.Result(), w.Body.String()}.problem(t)
			default:
				t.Fatalf("%s %q: status %d", path, body, w.Code)
			}
		}
	})
}
