// Copyright: (c) 2026, the sovereign.region authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Decodes fragments of KubeletConfiguration strictly, as the kubelet does, and prints what was understood as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/kubelet/config/v1beta1"
)

func main() {
	scheme := runtime.NewScheme()
	if err := v1beta1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	for _, path := range os.Args[1:] {
		content, err := os.ReadFile(path)
		if err == nil {
			var object runtime.Object
			if object, _, err = decoder.Decode(content, nil, nil); err == nil {
				err = json.NewEncoder(os.Stdout).Encode(object)
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
