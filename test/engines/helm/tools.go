//go:build tools

// Package tools names the programs that scripts/test-engines.js builds, so that go.mod and go.sum pin them.
package tools

import (
	_ "github.com/yannh/kubeconform/cmd/kubeconform"
	_ "helm.sh/helm/v3/cmd/helm"
)
