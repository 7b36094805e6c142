package docs

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// object is what manifests have in common.
type object[Spec any] struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name, Namespace string }
	Spec       Spec
}

type selector struct {
	MatchLabels      map[string]string `yaml:"matchLabels"`
	MatchExpressions []struct {
		Key, Operator string
		Values        []string
	} `yaml:"matchExpressions"`
}

// nodeOpUpgrade has the fields of the CRD of kairos-operator at ba610ee
// (config/crd/bases/operator.kairos.io_nodeopupgrades.yaml).
type nodeOpUpgrade struct {
	Concurrency       int
	Debug             bool
	ExcludePaths      []string `yaml:"excludePaths"`
	Force             bool
	Image             string
	ImagePullSecrets  []struct{ Name string } `yaml:"imagePullSecrets"`
	NodeSelector      selector                `yaml:"nodeSelector"`
	StopOnFailure     bool                    `yaml:"stopOnFailure"`
	UncordonOnFailure bool                    `yaml:"uncordonOnFailure"`
	UpgradeActive     bool                    `yaml:"upgradeActive"`
	UpgradeRecovery   bool                    `yaml:"upgradeRecovery"`
}

// plan has those fields of the system-upgrade-controller that a plan for an image needs
// (pkg/apis/upgrade.cattle.io/v1/types.go).
type plan struct {
	Concurrency        int
	Version            string
	NodeSelector       selector `yaml:"nodeSelector"`
	ServiceAccountName string   `yaml:"serviceAccountName"`
	Cordon             bool
	Upgrade            struct {
		Image         string
		Command, Args []string
	}
}

// TestManifests reads the manifests of the example, and refuses fields that the objects do not have.
func TestManifests(t *testing.T) {
	const dir = "upgrade-from-kubernetes"
	version := manifest[struct {
		Extends, Version, Variant, Kubernetes string
		Upgrade                               map[string]any
	}](t, dir, "kairos.spec").Version
	require.NotEmpty(t, version)

	op := manifest[object[nodeOpUpgrade]](t, dir, "nodeopupgrade.yaml")
	assert.Equal(t, "operator.kairos.io/v1alpha1", op.APIVersion)
	assert.Equal(t, "NodeOpUpgrade", op.Kind)
	assert.NotEmpty(t, op.Metadata.Name)
	assert.Equal(t, "registry.example.com/edge/os:"+version, op.Spec.Image)
	assert.Positive(t, op.Spec.Concurrency, "0 is all nodes at once")

	suc := manifest[object[plan]](t, dir, "plan.yaml")
	assert.Equal(t, "upgrade.cattle.io/v1", suc.APIVersion)
	assert.Equal(t, "Plan", suc.Kind)
	assert.Equal(t, version, suc.Spec.Version)
	require.Len(t, suc.Spec.Upgrade.Command, 1)
	assert.FileExists(t, filepath.Join(root, "specs/catalog/overlay/common", suc.Spec.Upgrade.Command[0]))
}

func manifest[T any](t *testing.T, dir, file string) (m T) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "examples", dir, file))
	require.NoError(t, err)
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&m), file)
	return m
}
