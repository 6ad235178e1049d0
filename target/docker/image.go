package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/jsonmessage"
)

const (
	// repository has a host that nobody can serve (RFC 2606): before a bare name testcontainers would put a configured mirror.
	repository = "planeproof.invalid/fakes"
	user       = "65534:65534"
	dockerfile = "FROM scratch\n" +
		"LABEL " + label + "=" + mark + "\n" +
		"COPY planeproof /planeproof\n" +
		"USER " + user + "\n" +
		"ENTRYPOINT [\"/planeproof\"]\n"
)

// image returns the reference of the fakes' image, and builds it where the engine does not have it. The tag tells the content, so
// that it is built once per program; two starts that build it at the same time both get theirs.
func (e *engine) image(ctx context.Context, o Options) (string, error) {
	program, err := program(ctx, o, e.arch)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	ref := repository + ":" + tag(program, e.arch)
	_, err = e.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		err = e.build(ctx, ref, program)
	}
	if err != nil {
		return "", fmt.Errorf("prepare image %s: %w", ref, err)
	}
	return ref, nil
}

func tag(program []byte, arch string) string {
	sum := sha256.New()
	sum.Write(program)
	sum.Write([]byte("\n" + dockerfile + arch))
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

// build asks the engine directly, not through testcontainers: that would send along the registry credentials of this machine, and
// try again for minutes.
func (e *engine) build(ctx context.Context, ref string, program []byte) error {
	archive, err := buildContext(program)
	if err != nil {
		return err
	}
	answer, err := e.ImageBuild(ctx, archive, client.ImageBuildOptions{Tags: []string{ref}, Remove: true, ForceRemove: true})
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	return jsonmessage.DisplayStream(answer.Body, io.Discard) // a failed build is an error within the stream
}

func buildContext(program []byte) (io.Reader, error) {
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, file := range []struct {
		name string
		mode int64
		body []byte
	}{{"Dockerfile", 0o644, []byte(dockerfile)}, {"planeproof", 0o755, program}} {
		if err := archive.WriteHeader(&tar.Header{Name: file.name, Mode: file.mode, Size: int64(len(file.body))}); err != nil {
			return nil, fmt.Errorf("pack %s: %w", file.name, err)
		}
		if _, err := archive.Write(file.body); err != nil {
			return nil, fmt.Errorf("pack %s: %w", file.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("pack build context: %w", err)
	}
	return &out, nil
}
