//go:build tools

// Package tools names the program that this module is there to pin.
package tools

import _ "github.com/llm-d/llm-d-inference-sim/cmd/llm-d-inference-sim"
