package container_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mailweir/test/testbed"
)

const (
	root      = "../.."
	container = root + "/contrib/container"
	base      = "debian:bookworm-slim"
)

// haveBase gets the image that Postfix's is made from: the cached one, else that
// of the registry, else one made of the distribution's packages.
func (e *engine) haveBase(t *testing.T) {
	t.Helper()
	if _, err := e.run(nil, "docker", "image", "inspect", base); err == nil {
		return
	}
	_, pulling := e.run(nil, "docker", "pull", "--quiet", base)
	if pulling == nil {
		return
	}
	t.Logf("%s cannot be pulled, making one with mmdebstrap: %v", base, pulling)
	archive := filepath.Join(e.dir, "base.tar")
	without := []string{"man", "doc", "locale", "info"}
	args := []string{"--quiet", "--variant=minbase"}
	for _, dir := range without {
		args = append(args, "--dpkgopt=path-exclude=/usr/share/"+dir+"/*")
	}
	e.must(t, nil, "mmdebstrap", append(args, "bookworm", archive)...)
	e.must(t, nil, "docker", "import", archive, base)
	if err := os.Remove(archive); err != nil {
		t.Error(err)
	}
}

// buildImages builds the images that the compose file names, from the files
// that users have. mailweir's program is built here, with the build cache, and
// taken by the stage for such programs.
func (e *engine) buildImages(t *testing.T) {
	t.Helper()
	e.must(t, nil, "docker", "build", "--network=host", "-t", "mailweir-postfix", container+"/postfix")

	context := testbed.TempDir(t)
	license, err := os.ReadFile(root + "/LICENSE")
	if err == nil {
		err = os.WriteFile(context+"/LICENSE", license, 0o644)
	}
	if err == nil {
		err = os.CopyFS(context+"/contrib/container", os.DirFS(container))
	}
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(context, "bin/mailweir")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./cmd/mailweir")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("go build: %w\n%s", err, out))
	}
	e.must(t, nil, "docker", "build", "-t", "mailweir", "-f", container+"/Dockerfile", "--target", "prebuilt", context)
	// The image of the last run has lost its name to this one.
	e.must(t, nil, "docker", "image", "prune", "--force")
}
